/** Tests of the rules of objectives, for `promtool test rules`. */
import { type YamlValue, yamlOf } from '../documents/yaml.ts';
import { recordOf, selectorText } from './expressions.ts';
import { alertName, annotationsOf } from './rules.ts';
import type { Burn, Indicator, Selector, Slo } from './slo.ts';

export interface RuleTestOptions {
  /** Path of the file with {@link sloRules}, from where the tests are. @default 'rules.yml' */
  readonly ruleFile?: string;
}

/**
 * Tests as YAML: for each objective, that all good alerts nobody and is recorded as 0, that what burns the budget too fast pages and what burns it slowly opens a ticket, each with its
 * labels and annotations, and that a page ends when the burning does.
 */
export function sloRuleTests(slos: readonly Slo[], { ruleFile = 'rules.yml' }: RuleTestOptions = {}): string {
  return yamlOf({ rule_files: [ruleFile], evaluation_interval: '5m', tests: slos.flatMap(testsOf) });
}

const perMinute = 1_000_000;

function testsOf(slo: Slo): readonly YamlValue[] {
  const [page, ticket] = (['page', 'ticket'] as const).map((severity) => {
    // The burn that reacts to the least: whatever is above it is above all of its severity that matter here.
    const burns = slo.burns.filter((burn) => burn.severity === severity);
    return burns.toSorted((a, b) => a.above - b.above)[0];
  });
  return [
    quiet(slo),
    ...(page === undefined ? [] : burning(slo, page)),
    ...(ticket === undefined ? [] : slow(slo, ticket, page)),
  ];
}

function quiet(slo: Slo): YamlValue {
  return {
    name: `${slo.name}: all good alerts nobody`,
    interval: '1m',
    input_series: seriesOf(slo.indicator, [{ minutes: 90, bad: 0 }]),
    alert_rule_test: severitiesOf(slo).map((severity) => expected(slo, severity, '60m', false)),
    promql_expr_test: [
      {
        expr: `${recordOf(slo.burns[0]?.short ?? '')}{slo="${slo.name}"}`,
        eval_time: '60m',
        exp_samples: [{ labels: `${recordOf(slo.burns[0]?.short ?? '')}{slo="${slo.name}"}`, value: 0 }],
      },
    ],
  };
}

function burning(slo: Slo, burn: Burn): readonly YamlValue[] {
  const series = seriesOf(slo.indicator, [
    { minutes: 45, bad: midway(burn.above, 1) },
    { minutes: 120, bad: 0 },
  ]);
  return [
    {
      name: `${slo.name}: burning fast pages, and ends`,
      interval: '1m',
      input_series: series,
      alert_rule_test: [expected(slo, 'page', '40m', true), expected(slo, 'page', '120m', false)],
    },
  ];
}

function slow(slo: Slo, burn: Burn, page: Burn | undefined): readonly YamlValue[] {
  const bad = midway(burn.above, page?.above ?? 1);
  return [
    {
      name: `${slo.name}: burning slowly opens a ticket, and pages nobody`,
      interval: '1m',
      input_series: seriesOf(slo.indicator, [{ minutes: 90, bad }]),
      alert_rule_test: [
        expected(slo, 'ticket', '80m', true),
        ...(page === undefined ? [] : [expected(slo, 'page', '80m', false)]),
      ],
    },
  ];
}

/** Between two shares, by their ratio: they may be far apart. */
function midway(low: number, high: number): number {
  return Math.sqrt(low * high);
}

function severitiesOf({ burns }: Slo): readonly Burn['severity'][] {
  return [...new Set(burns.map(({ severity }) => severity))];
}

function expected(slo: Slo, severity: Burn['severity'], at: string, fires: boolean): YamlValue {
  const alert = { exp_labels: { severity, slo: slo.name }, exp_annotations: annotationsOf(slo, severity) };
  return { eval_time: at, alertname: alertName(slo, severity), exp_alerts: fires ? [alert] : [] };
}

interface Phase {
  readonly minutes: number;
  /** Bad share. */
  readonly bad: number;
}

type Share = (phase: Phase) => number;

const all: Share = () => 1;
const bad: Share = (phase) => phase.bad;
const good: Share = (phase) => 1 - phase.bad;

/** Series that an indicator reads, counting through phases. */
function seriesOf(indicator: Indicator, phases: readonly Phase[]): readonly YamlValue[] {
  const series = (selector: Selector, share: Share, suffix = ''): YamlValue => {
    return {
      series: selectorText(selector, suffix),
      values: countsOf(phases.map((phase) => ({ ...phase, share: share(phase) }))),
    };
  };
  if (indicator.type === 'latency') {
    const labels = oneOf(indicator.histogram);
    const within = { ...labels, where: { ...labels.where, le: String(indicator.withinSeconds) } };
    return [series(within, good, '_bucket'), series(labels, all, '_count')];
  }
  const part = indicator.type === 'quality' ? indicator.good : indicator.bad;
  const [ofPart, ofRest] = indicator.type === 'quality' ? [good, bad] : [bad, good];
  if (part.metric !== indicator.total.metric) return [series(oneOf(indicator.total), all), series(oneOf(part), ofPart)];
  const inTotal = { metric: part.metric, where: { ...oneOf(indicator.total).where, ...oneOf(part).where } };
  return [series(inTotal, ofPart), series(outside(indicator.total, part), ofRest)];
}

/** Labels of one series that is selected. */
function oneOf({ metric, where = {} }: Selector): Selector & { readonly where: Readonly<Record<string, string>> } {
  const labels = Object.entries(where).map(([label, values]) => [label, valuesOf(values)[0] ?? ''] as const);
  return { metric, where: Object.fromEntries(labels) };
}

/** Labels of one series of the total that is no part. */
function outside(total: Selector, part: Selector): Selector {
  const avoided = part.where ?? {};
  const labels = Object.entries({ ...avoided, ...total.where }).map(([label]) => {
    const allowed = total.where?.[label];
    const taken = valuesOf(avoided[label] ?? []);
    const value = allowed === undefined ? 'something_else' : valuesOf(allowed).find((one) => !taken.includes(one));
    return [label, value ?? valuesOf(allowed ?? [])[0] ?? ''] as const;
  });
  return { metric: total.metric, where: Object.fromEntries(labels) };
}

function valuesOf(values: string | readonly string[]): readonly string[] {
  return typeof values === 'string' ? [values] : values;
}

/** promtool's notation: `0+10x60` counts 10 each minute for an hour. */
function countsOf(phases: readonly (Phase & { readonly share: number })[]): string {
  let count = 0;
  return phases
    .map(({ minutes, share }) => {
      const step = Math.round(perMinute * share);
      const text = `${count}+${step}x${minutes}`;
      count += step * (minutes + 1);
      return text;
    })
    .join(' ');
}
