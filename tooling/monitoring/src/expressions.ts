/** PromQL of panels: each reads the instances that the dashboard's variable selects, over the interval that Grafana finds fitting. */

/** The matcher of every selector of a dashboard. */
const here = 'instance=~"$instance"';

/** Series of a gauge, or of a counter as it stands. */
export function level(metric: string, where = ''): string {
  return `${metric}{${where === '' ? here : `${here},${where}`}}`;
}

/** Growth per second of a counter. */
export function rate(metric: string, where = ''): string {
  return `rate(${level(metric, where)}[$__rate_interval])`;
}

/** Growth over the time that the dashboard shows. */
export function grown(metric: string, where = ''): string {
  return `increase(${level(metric, where)}[$__range])`;
}

export function sum(of: string, by = ''): string {
  return by === '' ? `sum(${of})` : `sum by (${by}) (${of})`;
}

/** The greatest: of what several instances say of one and the same thing. */
export function most(of: string, by: string): string {
  return `max by (${by}) (${of})`;
}

/** Quantile of a histogram, from its buckets. */
export function quantile(q: number, histogram: string, by = '', where = ''): string {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${q}, ${sum(rate(`${histogram}_bucket`, where), labels)})`;
}

/** Share of one in another; 0 where the part never happened, nothing where the whole did not. */
export function share(part: string, whole: string): string {
  return `(${part} or 0 * ${whole}) / (${whole} > 0)`;
}
