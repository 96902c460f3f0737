/** Percentiles in this process, for a status page or a decision; over several processes they are PromQL's. */
import { requireOption } from '@sage-adk/core';
import { type Collected, instrumentsOf } from '../collected.ts';

export interface QuantileOptions {
  /** `createMetrics()` fits, and `mergeWorkers()` of `./cluster`. */
  readonly metrics: Collected;
  /** Of a histogram: `sage_llm_call_duration_seconds`. */
  readonly name: string;
  /** Values of labels that count; what is left out may be any. @default all series */
  readonly where?: Readonly<Record<string, string>>;
}

/**
 * Estimates quantiles of everything that a histogram counted since the start, as PromQL's `histogram_quantile` does: within the bucket that holds it, as if its values were spread
 * evenly. So it is exact to a bucket, and beyond the last bound it is that bound.
 *
 * Throws `SAGE_CORE_INVALID_OPTION` for a metric that is no histogram of these metrics, and for a quantile that is not from 0 to 1.
 *
 * @returns one value for each quantile; undefined where nothing was counted.
 * @example
 * ```ts
 * const [p50, p95, p99] = await quantiles({ metrics, name: 'sage_agent_request_duration_seconds' }, [0.5, 0.95, 0.99]);
 * ```
 */
export async function quantiles<const Q extends readonly number[]>(
  { metrics, name, where = {} }: QuantileOptions,
  wanted: Q,
): Promise<{ readonly [I in keyof Q]: number | undefined }> {
  for (const quantile of wanted) requireOption('quantile', quantile, 'a number from 0 to 1', (q) => q >= 0 && q <= 1);
  const histogram = (await instrumentsOf(metrics)).find(
    ({ type, definition }) => type === 'histogram' && definition.name === name,
  );
  requireOption('name', name, 'a histogram of these metrics', () => histogram !== undefined);
  const counts = new Map<number, number>();
  for (const { name: line, labels, value } of histogram?.samples() ?? []) {
    if (line !== `${name}_bucket` || Object.entries(where).some(([label, text]) => labels[label] !== text)) continue;
    const bound = labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']);
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  const buckets = [...counts].toSorted(([one], [other]) => one - other);
  // A tuple of the same length, which `map` does not know.
  return wanted.map((quantile) => within(buckets, quantile)) as { readonly [I in keyof Q]: number | undefined };
}

/** @param buckets cumulative, by upper bound */
function within(buckets: readonly (readonly [bound: number, count: number])[], quantile: number): number | undefined {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total === 0) return undefined;
  const rank = quantile * total;
  let [below, before] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count >= rank && count > before) {
      return bound === Number.POSITIVE_INFINITY
        ? below
        : below + ((bound - below) * (rank - before)) / (count - before);
    }
    [below, before] = [bound, count];
  }
  return below;
}
