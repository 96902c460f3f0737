/**
 * Times variants side by side: in each round every variant runs once, in a new order, so that a busy neighbour hits all alike.
 */
export interface Variant {
  readonly name: string;
  /** Does the work `count` times. */
  run(count: number): void | Promise<void>;
}

export interface Timing {
  readonly name: string;
  /** CPU nanoseconds of one piece of work: the median round. */
  readonly medianNs: number;
  readonly bestNs: number;
}

/** @param rounds at least 5, or the median means little */
export async function measure(
  variants: readonly Variant[],
  count: number,
  rounds: number,
): Promise<ReadonlyMap<string, Timing>> {
  const samples = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  for (const variant of variants) await variant.run(Math.ceil(count / 5));
  for (let round = 0; round < rounds; round++) {
    for (const variant of rotated(variants, round)) samples.get(variant.name)?.push(await cpuNs(variant, count));
  }
  return new Map(
    [...samples].map(([name, values]) => [name, { name, medianNs: median(values), bestNs: Math.min(...values) }]),
  );
}

/** What a variant costs over another, in CPU nanoseconds of one piece of work. */
export interface Excess {
  /** Of the variant itself. */
  readonly ownNs: number;
  /** Of the other. */
  readonly baseNs: number;
  readonly medianNs: number;
  /** The lower quartile: a busy neighbour only ever adds. */
  readonly quartileNs: number;
}

export interface Batches {
  readonly most: number;
  /** After this time no other is begun, once there are as many as a median needs. */
  readonly mostMs: number;
  /** Turns that each has in a batch: variants take turns within it as well, so that a machine that is fast now and slow then is so for all. @default 1 */
  readonly turns?: number;
  /**
   * Rounds of a batch, in each of which another begins. Collections come at the same places of a round, so what is due there is always paid by the same: of two
   * variants that took turns for one round, the differences were seen to be 34 us and 83 us by turns, and of two rounds they are steady. @default 1
   */
  readonly rounds?: number;
  /** Runs after each round: for a calibration. As a variant it would stand before one of the others more often than before another. */
  readonly beside?: () => Promise<void>;
}

const fewestBatches = 9;

/**
 * Times variants against the first of them in many small batches, each beside one of the first, and takes the differences of those pairs.
 *
 * @param costOf what one turn cost, in nanoseconds of one piece of work
 */
export async function measureOver<V extends { readonly name: string }>(
  variants: readonly V[],
  costOf: (variant: V) => Promise<number>,
  { most, mostMs, turns = 1, rounds = 1, beside }: Batches,
): Promise<ReadonlyMap<string, Excess>> {
  const samples = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  const untilMs = performance.now() + mostMs;
  for (let batch = 0; batch < most && (batch < fewestBatches || performance.now() < untilMs); batch++) {
    const sums = new Map<string, number>();
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < turns; turn++) {
        for (const variant of rotated(variants, batch * rounds + round + turn)) {
          sums.set(variant.name, (sums.get(variant.name) ?? 0) + (await costOf(variant)));
        }
      }
      await beside?.();
    }
    for (const [name, sum] of sums) samples.get(name)?.push(sum / (turns * rounds));
  }
  const [first] = variants;
  const base = samples.get(first?.name ?? '') ?? [];
  return new Map(
    [...samples].map(([name, values]) => {
      const over = values.map((value, index) => value - (base[index] ?? 0)).toSorted((a, b) => a - b);
      const quartileNs = over[over.length >> 2] ?? Number.NaN;
      return [name, { ownNs: median(values), baseNs: median(base), medianNs: median(over), quartileNs }];
    }),
  );
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export async function cpuNs(variant: Pick<Variant, 'run'>, count: number): Promise<number> {
  const before = process.cpuUsage();
  await variant.run(count);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / count;
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
