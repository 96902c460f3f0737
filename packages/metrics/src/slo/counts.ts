/** Reads what an indicator counts from a registry, ours or of prom-client. */
import type { Indicator, Selector } from './slo.ts';

/** What is needed of a registry; `metrics.registry` fits. */
export interface ReadableRegistry {
  getSingleMetric(name: string): unknown;
}

interface Value {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly metricName?: string;
}

/** Two counters of an indicator, as they stand. */
export interface Count {
  readonly total: number;
  /** How often it was bad; of latency and quality, how often it was good. */
  readonly part: number;
}

/** How often it was bad, in what was counted between two readings. Below 0 where what counted as bad turned out to be good. */
export function badOf({ type }: Indicator, { total, part }: Count): number {
  return type === 'availability' ? part : total - part;
}

/** What happened until now. A metric that is not there counted nothing. */
export async function countOf(registry: ReadableRegistry, indicator: Indicator): Promise<Count> {
  if (indicator.type === 'latency') {
    const { histogram, withinSeconds } = indicator;
    const [total, part] = await Promise.all([
      sumOf(registry, histogram, '_count'),
      sumOf(registry, histogram, '_bucket', (labels) => Number(labels['le']) === withinSeconds),
    ]);
    return { total, part };
  }
  // Asked at once, so that nothing is counted in between.
  const selector = indicator.type === 'quality' ? indicator.good : indicator.bad;
  const [total, part] = await Promise.all([sumOf(registry, indicator.total), sumOf(registry, selector)]);
  return { total, part };
}

async function sumOf(
  registry: ReadableRegistry,
  { metric, where = {} }: Selector,
  suffix = '',
  fits: (labels: Value['labels']) => boolean = () => true,
): Promise<number> {
  const found = registry.getSingleMetric(metric) as
    | { get?(): Promise<{ readonly values: readonly Value[] }> }
    | undefined;
  const values = (await found?.get?.())?.values ?? [];
  const selected = values.filter(({ labels, metricName = metric }) => {
    return metricName === `${metric}${suffix}` && fits(labels) && matches(labels, where);
  });
  return selected.reduce((sum, { value }) => sum + value, 0);
}

function matches(labels: Value['labels'], where: NonNullable<Selector['where']>): boolean {
  return Object.entries(where).every(([label, wanted]) => {
    const text = String(labels[label] ?? '');
    return typeof wanted === 'string' ? wanted === text : wanted.includes(text);
  });
}
