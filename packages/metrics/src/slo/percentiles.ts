/** Recorded percentiles of histograms: dashboards and alerts read one series in place of all buckets. */
import { requireOption } from '@sage-adk/core';
import { yamlOf } from '../documents/yaml.ts';

export interface Percentiles {
  /** Name of a histogram. */
  readonly histogram: string;
  /** Labels that are kept. @default none */
  readonly by?: readonly string[];
}

const quantiles = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

/** Requests to the agent, calls of a model, and their first token. */
export const defaultPercentiles: readonly Percentiles[] = [
  { histogram: 'sage_agent_request_duration_seconds', by: ['protocol'] },
  { histogram: 'sage_llm_call_duration_seconds', by: ['provider', 'model'] },
  { histogram: 'sage_llm_first_token_seconds', by: ['provider', 'model'] },
  { histogram: 'sage_operation_duration_seconds', by: ['operation'] },
];

/**
 * Rules as YAML that record p50, p95 and p99 over five minutes: `sage_agent_request_duration_seconds:p95` with the labels that are kept, and over all of them with `:all`
 * before: `sage_agent_request_duration_seconds:all:p95`. Percentiles of parts cannot be averaged.
 */
export function percentileRules(percentiles: readonly Percentiles[] = defaultPercentiles): string {
  for (const { histogram } of percentiles) {
    requireOption('histogram', histogram, 'a Prometheus metric name', (text) => /^[a-z_:][a-z0-9_:]*$/.test(text));
  }
  const rules = percentiles.flatMap(({ histogram, by = [] }) =>
    Object.entries(quantiles).flatMap(([name, quantile]) => {
      const expr = (labels: readonly string[]) => {
        return `histogram_quantile(${quantile}, sum by (${['le', ...labels].join(', ')}) (rate(${histogram}_bucket[5m])))`;
      };
      const all = { record: `${histogram}:all:${name}`, expr: expr([]) };
      return by.length === 0 ? [all] : [all, { record: `${histogram}:${name}`, expr: expr(by) }];
    }),
  );
  return yamlOf({ groups: [{ name: 'sage-percentiles', rules }] });
}
