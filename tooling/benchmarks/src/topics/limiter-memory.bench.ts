import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Report, Topic } from '../harness/topic.ts';

/** CPU nanoseconds of one decision. */
type Timings = Readonly<Record<'ours sync' | 'ours async' | 'rate-limiter-flexible' | 'express-rate-limit', number>>;

const processes = 5;
const worker = new URL('../workers/limiter-memory.ts', import.meta.url);
const sizeWorker = new URL('../workers/limiter-memory-size.ts', import.meta.url);
const reserveWorker = new URL('../workers/limiter-memory-reserve.ts', import.meta.url);
const fourWorker = new URL('../workers/limiter-memory-four.ts', import.meta.url);

/** What a limiter keeps for a key, and how long single decisions take, with 1,000,000 keys. */
interface Size {
  readonly bytesPerKey: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Around a call: three rules of a user, a provider and all. */
type Reserving = Readonly<Record<'reserve and settle' | 'check', number>>;

type Four = Readonly<Record<'ours sync' | 'rate-limiter-flexible', number>>;

const kept = ['token bucket', 'fixed window', 'sliding window', 'rate-limiter-flexible'] as const;

export const topic: Topic = {
  name: 'Limiter in memory: speed and size, beside rate-limiter-flexible and express-rate-limit',
  async run(): Promise<Report> {
    const one = await timingsWith(1);
    const million = await timingsWith(1_000_000);
    const four = await inProcesses<Four>(fourWorker, []);
    const reserving = await inProcesses<Reserving>(reserveWorker, []);
    const sizes = new Map<string, Size>();
    for (const name of kept) sizes.set(name, await inOwnProcess<Size>(sizeWorker, [name, '1000000']));
    const bucket = sizes.get('token bucket');
    const over = (timings: readonly Timings[], peer: keyof Timings, ours: keyof Timings): number =>
      median(timings.map((round) => round[peer] / round[ours]));
    return {
      figures: {
        ...figuresOf(one, '1 key'),
        ...figuresOf(million, '1,000,000 keys'),
        'ours sync, four rules, ns': median(four.map((round) => round['ours sync'])),
        'rate-limiter-flexible, union of four, ns': median(four.map((round) => round['rate-limiter-flexible'])),
        'reserve and settle, three rules, ns': median(reserving.map((round) => round['reserve and settle'])),
        'check beside it, one rule, ns': median(reserving.map(({ check }) => check)),
        ...sizesOf(sizes),
      },
      gates: [
        {
          name: 'rate-limiter-flexible over ours, sync, 1 key',
          value: over(one, 'rate-limiter-flexible', 'ours sync'),
          limit: 3,
          kind: 'at least',
        },
        {
          name: 'rate-limiter-flexible over ours, async, 1 key',
          value: over(one, 'rate-limiter-flexible', 'ours async'),
          limit: 1.2,
          kind: 'at least',
        },
        {
          name: 'rate-limiter-flexible over ours, sync, 1,000,000 keys',
          value: over(million, 'rate-limiter-flexible', 'ours sync'),
          limit: 1.8,
          kind: 'at least',
        },
        {
          name: 'rate-limiter-flexible union over ours, four rules in one decision',
          value: median(four.map((round) => round['rate-limiter-flexible'] / round['ours sync'])),
          limit: 2,
          kind: 'at least',
        },
        {
          name: 'reserve and settle of three rules around a call, over an async check of one rule',
          value: median(reserving.map((round) => round['reserve and settle'] / round.check)),
          limit: 15,
          kind: 'at most',
        },
        {
          name: 'bytes a key, token bucket, 1,000,000 keys',
          value: bucket?.bytesPerKey ?? Number.NaN,
          limit: 100,
          kind: 'at most',
        },
        {
          name: 'p99 of one decision, 1,000,000 keys, us',
          value: bucket?.p99Us ?? Number.NaN,
          limit: 10,
          kind: 'at most',
        },
      ],
    };
  },
};

function timingsWith(keys: number): Promise<Timings[]> {
  return inProcesses<Timings>(worker, [String(keys)]);
}

async function inProcesses<T>(file: URL, args: readonly string[]): Promise<T[]> {
  const results: T[] = [];
  for (let round = 0; round < processes; round++) results.push(await inOwnProcess<T>(file, args));
  return results;
}

function sizesOf(sizes: ReadonlyMap<string, Size>): Record<string, number> {
  const figures: Record<string, number> = {};
  for (const [name, { bytesPerKey, p50Us, p99Us }] of sizes) {
    figures[`${name}, 1,000,000 keys, bytes a key`] = bytesPerKey;
    figures[`${name}, 1,000,000 keys, one decision, median, us`] = p50Us;
    figures[`${name}, 1,000,000 keys, one decision, p99, us`] = p99Us;
  }
  return figures;
}

function figuresOf(rounds: readonly Timings[], keys: string): Record<string, number> {
  const names = ['ours sync', 'ours async', 'rate-limiter-flexible', 'express-rate-limit'] as const;
  return Object.fromEntries(names.map((name) => [`${name}, ${keys}, ns`, median(rounds.map((round) => round[name]))]));
}
