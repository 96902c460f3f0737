/** What an expression may name: the metrics of the catalogue, what the rules record, and what Prometheus adds itself. */
import { type MetricRow, metricRows } from '@sage-adk/metrics';

const rows: ReadonlyMap<string, MetricRow> = new Map(metricRows.map((row) => [row.name, row]));
const parts = /_(?:bucket|count|sum)$/;
/** `metric:p95` and `metric:all:p95` of the percentile rules. */
const recordedPercentile = /^(.+?)(:all)?:p(?:50|95|99)$/;

/** The metrics that an expression names: those of ours, and those that are recorded. */
export function metricsIn(expression: string): readonly string[] {
  return [...new Set(expression.match(/(?<![a-z_:"])(?:sage[_:]|up\b)[a-z0-9_:]*/g))];
}

/** The row of the catalogue from which a name comes. */
export function rowOf(name: string): MetricRow | undefined {
  const base = recordedPercentile.exec(name)?.[1] ?? name;
  const row = rows.get(base);
  if (row !== undefined) return base !== name && row.type !== 'histogram' ? undefined : row;
  const histogram = rows.get(base.replace(parts, ''));
  return histogram?.type === 'histogram' ? histogram : undefined;
}

/** Names and labels of an expression that nothing exposes. */
export function problemsOf(expression: string): readonly string[] {
  const unknown = metricsIn(expression).filter((name) => {
    return name !== 'up' && !name.startsWith('sage:slo_bad:') && rowOf(name) === undefined;
  });
  const labels = Array.from(expression.matchAll(/([a-z][a-z0-9_:]*)\{([^}]*)\}/g)).flatMap(
    ([, name = '', inner = '']) => {
      const known = new Set([...(rowOf(name)?.labels ?? []), 'le', 'instance', 'job', 'slo']);
      const named = Array.from(inner.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g), ([, label = '']) => label);
      return named.filter((label) => !known.has(label)).map((label) => `${name} has no label ${label}`);
    },
  );
  return [...unknown.map((name) => `${name} is no metric`), ...labels];
}
