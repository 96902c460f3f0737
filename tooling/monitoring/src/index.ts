/** Dashboards, rules and the runbook, all made from the catalogue of metrics. */
import { dashboardOf } from './dashboard.ts';
import { dashboards } from './dashboards/index.ts';
import { problemsOf } from './known-metrics.ts';
import { ruleFiles, ruleTestFiles } from './rules.ts';
import { runbook } from './runbook.ts';
import { alerts } from './alerts/index.ts';

export { alerts } from './alerts/index.ts';
export { dashboards } from './dashboards/index.ts';
export { metricsIn } from './known-metrics.ts';
export { ruleFiles } from './rules.ts';
export { scaleDurations } from './scale.ts';

export const monitoringFolder = 'docs/deployment/monitoring';

/**
 * The files of docs/deployment/monitoring by their paths in the repository.
 *
 * @throws Error where an expression names a metric or a label that nothing exposes.
 */
export function monitoringFiles(): ReadonlyMap<string, string> {
  const problems = expressions().flatMap(problemsOf);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const files = [
    ...dashboards.map((spec) => [`grafana-dashboards/${spec.name}.json`, jsonOf(dashboardOf(spec))] as const),
    ...Object.entries(ruleFiles()).map(([name, text]) => [`rules/${name}`, `${yamlHead}${text}`] as const),
    ...Object.entries(ruleTestFiles()).map(([name, text]) => [`rules/${name}`, `${yamlHead}${text}`] as const),
    ['runbook.md', runbook()] as const,
  ];
  return new Map(files.map(([name, text]) => [`${monitoringFolder}/${name}`, text]));
}

/** Every expression of panels and alerts. */
export function expressions(): readonly string[] {
  const panels = dashboards.flatMap(({ rows }) => rows.flatMap((row) => row.panels));
  return [...panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)), ...alerts.map(({ expr }) => expr)];
}

const yamlHead = '# Made from tooling/monitoring: `pnpm reference` writes it.\n';

function jsonOf(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
