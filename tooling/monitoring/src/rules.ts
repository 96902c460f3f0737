/** The files of rules that Prometheus loads, and their tests for promtool. */
import { defaultPercentiles, percentileRules, sloRules, sloRuleTests } from '@sage-adk/metrics/slo';
import { stringify } from 'yaml';
import type { Alert } from './alert.ts';
import { alertGroups, alerts } from './alerts/index.ts';
import { metricsIn } from './known-metrics.ts';
import { runbookUrl } from './runbook-url.ts';
import { serviceLevels } from './service-levels.ts';

const slos = serviceLevels.map(({ slo }) => slo);

/** The files by their names. */
export function ruleFiles(): Readonly<Record<string, string>> {
  return {
    'percentiles.yaml': percentileRules(defaultPercentiles),
    'slo.yaml': sloRules(slos),
    'alerts.yaml': yamlOf({
      groups: Object.entries(alertGroups).map(([name, group]) => ({ name: `sage-${name}`, rules: group.map(ruleOf) })),
    }),
  };
}

/** Tests of the files, which lie beside them. */
export function ruleTestFiles(): Readonly<Record<string, string>> {
  const isLong = ({ healthyAt = 0 }: Alert): boolean => healthyAt > 24 * 60;
  return {
    'slo.test.yaml': sloRuleTests(slos, { ruleFile: 'slo.yaml' }),
    'alerts.test.yaml': ruleTestsOf(
      alerts.filter((alert) => !isLong(alert)),
      '1m',
    ),
    // What looks back for a day takes promtool long, if it evaluates each minute of it.
    'alerts-of-days.test.yaml': ruleTestsOf(alerts.filter(isLong), '15m'),
  };
}

/** The tests of some alerts, which promtool evaluates so often. */
export function ruleTestsOf(some: readonly Alert[], every: string): string {
  return yamlOf({
    rule_files: ['percentiles.yaml', 'alerts.yaml'],
    evaluation_interval: every,
    tests: [
      ...together(some, ({ fires }) => fires.series).map((set) => testOf('fires', set)),
      ...together(some, ({ healthy }) => healthy).map((set) => testOf('is quiet', set)),
    ],
  });
}

function ruleOf({ name, expr, for: hold, severity, summary, description }: Alert): object {
  return {
    alert: name,
    expr,
    for: hold,
    labels: { severity },
    annotations: { summary, description, runbook_url: runbookUrl(name) },
  };
}

type SeriesOf = (alert: Alert) => Alert['healthy'];

/** Alerts that can be tested at once, because none reads what another writes: promtool makes a database for each test. */
function together(all: readonly Alert[], seriesOf: SeriesOf): readonly (readonly Alert[])[] {
  const sets: { readonly alerts: Alert[]; readonly metrics: Set<string> }[] = [];
  for (const alert of all) {
    const metrics = [alert.expr, ...Object.keys(seriesOf(alert))].flatMap(metricsIn).map(histogramOf);
    let set = sets.find((one) => metrics.every((metric) => !one.metrics.has(metric)));
    if (set === undefined) sets.push((set = { alerts: [], metrics: new Set() }));
    set.alerts.push(alert);
    for (const metric of metrics) set.metrics.add(metric);
  }
  return sets.map((set) => set.alerts);
}

function histogramOf(name: string): string {
  return name.replace(/_bucket$|(?::all)?:p\d+$/, '');
}

function testOf(what: 'fires' | 'is quiet', some: readonly Alert[]): object {
  const fires = what === 'fires';
  return {
    name: some.map(({ name }) => `${name} ${what}`).join(', '),
    interval: '1m',
    input_series: some
      .flatMap((alert) => Object.entries(fires ? alert.fires.series : alert.healthy))
      .map(([series, values]) => ({ series, values })),
    alert_rule_test: some.map((alert) => ({
      alertname: alert.name,
      eval_time: fires ? alert.fires.at : `${alert.healthyAt ?? 20}m`,
      exp_alerts: fires ? [expectedOf(alert)] : [],
    })),
  };
}

function expectedOf({ name, severity, summary, description, fires: { labels = {} } }: Alert): object {
  const fill = (text: string): string => {
    return text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '');
  };
  return {
    exp_labels: { ...labels, severity },
    exp_annotations: { summary: fill(summary), description: fill(description), runbook_url: runbookUrl(name) },
  };
}

function yamlOf(value: object): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
