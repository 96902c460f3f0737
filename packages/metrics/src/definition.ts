/** What a metric is, without its numbers; and the rules that its name and labels follow. */
import { requireOption } from '@sage-adk/core';

export interface MetricDefinition<L extends readonly string[] = readonly string[]> {
  /** Prometheus name: base units, `_total` on counters and on nothing else. */
  readonly name: string;
  readonly help: string;
  /** Names of the labels, in the order in which values are given. @default none */
  readonly labels?: L;
  /**
   * Labels with a closed set of values: anything else becomes `other`. A label that is missing here takes any value, until the metric has as many series
   * as it may have. Never label by user, session or message.
   */
  readonly values?: { readonly [K in L[number]]?: readonly string[] };
  readonly unit?: 'seconds' | 'bytes' | 'usd' | 'tokens';
  /** Parts of a unit that the cells hold, so that sums of parts stay exact: 1e9 for billionths. @default 1 */
  readonly partsPerUnit?: number;
  /** What a gauge is over several workers, where `./cluster` merges them, and over several sources in one process. @default 'sum' */
  readonly aggregate?: Aggregate;
}

export type Aggregate = 'sum' | 'max' | 'min' | 'mean';

/** Two levels as one; of a mean it is the sum. */
export const combine: Readonly<Record<Aggregate, (one: number, other: number) => number>> = {
  sum: (one, other) => one + other,
  mean: (one, other) => one + other,
  max: Math.max,
  min: Math.min,
};

export interface HistogramDefinition<L extends readonly string[] = readonly string[]> extends MetricDefinition<L> {
  /** Upper bounds, ascending; one for infinity is added. */
  readonly buckets: readonly number[];
}

export type MetricType = 'counter' | 'gauge' | 'histogram';

/** Refuses what Prometheus, or its linter, would refuse. */
export function requireDefinition(definition: MetricDefinition, type: MetricType): void {
  const { name, help, labels = [] } = definition;
  requireOption('name', name, 'a Prometheus metric name', (text) => /^[a-z_:][a-z0-9_:]*$/.test(text));
  requireOption('name', name, type === 'counter' ? 'a name that ends in _total' : 'a name without _total', (text) => {
    return text.endsWith('_total') === (type === 'counter');
  });
  requireOption('help', help, 'a text', (text) => text.trim() !== '');
  for (const label of labels) {
    requireOption('labels', label, 'a Prometheus label name other than le and quantile', (text) => {
      return /^[a-z_][a-z0-9_]*$/.test(text) && !text.startsWith('__') && text !== 'le' && text !== 'quantile';
    });
  }
  requireOption('labels', labels.join(', '), 'without repetition', () => new Set(labels).size === labels.length);
}

/** Refuses buckets that are not finite and ascending. */
export function requireBuckets(buckets: readonly number[]): void {
  requireOption('buckets', buckets.join(', '), 'finite numbers, each larger than the one before', () => {
    return buckets.every((bound, i) => Number.isFinite(bound) && bound > (buckets[i - 1] ?? Number.NEGATIVE_INFINITY));
  });
}
