/** How rows of the table are written: what their name and labels say already stands nowhere else. */
import type { Aggregate, HistogramDefinition, MetricDefinition } from '../definition.ts';

/** What a metric is, and where its numbers come from. */
export type MetricRow =
  | (MetricDefinition & { readonly type: 'counter' | 'gauge'; readonly from: string })
  | (HistogramDefinition & { readonly type: 'histogram'; readonly from: string });

/** What a row may say beyond its name, help, origin and labels. */
export interface RowOptions {
  /** Closed sets of labels that have another one elsewhere, or none. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  readonly unit?: Unit;
  readonly partsPerUnit?: number;
  readonly aggregate?: Aggregate;
}

type Unit = NonNullable<MetricDefinition['unit']>;

type Row<T extends MetricRow['type'], L extends readonly string[]> = MetricDefinition<L> & {
  readonly type: T;
  readonly from: string;
  readonly labels: L;
};
type HistogramRow<L extends readonly string[]> = Row<'histogram', L> & Pick<HistogramDefinition, 'buckets'>;

/** Labels that have these values wherever they stand. */
const closed: Readonly<Record<string, readonly string[]>> = {
  outcome: ['ok', 'error', 'denied', 'cancelled', 'timeout'],
  category: ['transient', 'permanent', 'critical', 'unknown'],
  protocol: ['a2a', 'sage', 'mcp', 'http'],
  stream: ['true', 'false'],
};

/**
 * @param from where its numbers come from: names of operations and events, also as `storage.*`; `source` with the name of a source and, behind a blank, which of
 * its numbers, where a star stands for the values of the labels; or words for what this package reads itself. Two are parted by a comma.
 */
export function counter<const L extends readonly string[] = readonly []>(
  name: string,
  help: string,
  from: string,
  labels?: L,
  options?: RowOptions,
): Row<'counter', L> {
  return { type: 'counter', ...rowOf(name, help, from, labels, options) };
}

/** @param from as of {@link counter} */
export function gauge<const L extends readonly string[] = readonly []>(
  name: string,
  help: string,
  from: string,
  labels?: L,
  options?: RowOptions,
): Row<'gauge', L> {
  return { type: 'gauge', ...rowOf(name, help, from, labels, options) };
}

/** @param from as of {@link counter} */
export function histogram<const L extends readonly string[] = readonly []>(
  name: string,
  help: string,
  from: string,
  buckets: readonly number[],
  labels?: L,
  options?: RowOptions,
): HistogramRow<L> {
  return { type: 'histogram', buckets, ...rowOf(name, help, from, labels, options) };
}

function rowOf<L extends readonly string[]>(
  name: string,
  help: string,
  from: string,
  // Without labels L is the empty tuple.
  labels: L = [] as readonly string[] as L,
  { values, ...rest }: RowOptions = {},
) {
  const unit = /_(seconds|bytes|usd|tokens)(_total)?$/.exec(name)?.[1] as Unit | undefined;
  const own = Object.fromEntries(
    labels.flatMap((label) => (closed[label] === undefined ? [] : [[label, closed[label]]])),
  );
  return { name, help, from, labels, ...(unit && { unit }), values: { ...own, ...values } as Values<L>, ...rest };
}

type Values<L extends readonly string[]> = NonNullable<MetricDefinition<L>['values']>;
