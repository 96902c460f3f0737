import { describe, expect, test } from '@jest/globals';
import * as grafanaUnits from '@grafana/grafana-foundation-sdk/units';
import { metricRows } from '@sage-adk/metrics';
import {
  alerts,
  dashboards,
  expressions,
  metricsIn,
  monitoringFiles,
  ruleFiles,
  scaleDurations,
} from '../src/index.ts';
import { problemsOf, rowOf } from '../src/known-metrics.ts';

const files = monitoringFiles();
const textOf = (name: string): string => files.get(`docs/deployment/monitoring/${name}`) ?? '';

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: unknown;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly options?: { readonly legend?: { readonly showLegend: boolean } };
  readonly targets?: readonly Target[];
}

describe.each(dashboards.map(({ name }) => name))('the dashboard %s', (name) => {
  const dashboard = JSON.parse(textOf(`grafana-dashboards/${name}.json`)) as {
    readonly uid: string;
    readonly schemaVersion: number;
    readonly panels: readonly Panel[];
  };
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');

  test('is of a schema that the SDK knows, with an identity that Grafana accepts', () => {
    expect(dashboard.schemaVersion).toBe(42);
    expect(dashboard.uid).toMatch(/^[a-z0-9-]{1,40}$/);
  });

  test('gives each panel a title, a description, a unit of Grafana, a legend and the data source of its variable', () => {
    expect(panels.length).toBeGreaterThan(5);
    const known = new Set<unknown>(Object.values(grafanaUnits));
    for (const panel of panels) {
      expect(panel.title).not.toBe('');
      expect(panel.description).toMatch(/\.$/);
      expect(known.has(panel.fieldConfig?.defaults.unit)).toBe(true);
      expect(panel.datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
      if (panel.type === 'timeseries') expect(panel.options?.legend?.showLegend).toBe(true);
      for (const target of panel.targets ?? []) expect(target.legendFormat).not.toBe('');
      expect(panel.targets?.length).toBeGreaterThan(0);
    }
  });

  test('has no two panels of one number or at one place, and none beyond the grid', () => {
    const all = dashboard.panels;
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const cells = all.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...all.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
  });

  test('draws only labels that its expressions keep', () => {
    for (const { title, targets = [] } of panels) {
      for (const { expr, legendFormat } of targets) {
        for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
          const kept = /\b(?:sum|count|max) by \(([^)]*)\)/.exec(expr)?.[1];
          const names = kept?.split(', ') ?? [
            ...metricsIn(expr).flatMap((metric) => rowOf(metric)?.labels ?? []),
            'instance',
            'slo',
          ];
          expect(`${title}: ${names.includes(label) ? label : `no ${label}`}`).toBe(`${title}: ${label}`);
        }
      }
    }
  });
});

test('every metric of the catalogue is in a panel or an alert', () => {
  const shown = new Set(expressions().flatMap((expression) => metricsIn(expression).map((name) => rowOf(name)?.name)));
  expect(metricRows.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
});

test('a metric, a part of a metric or a label that nothing exposes is found', () => {
  expect(problemsOf('sum by (rule) (rate(sage_limiter_decisions_total{outcome="denied"}[5m]))')).toEqual([]);
  expect(problemsOf('sage_llm_call_duration_seconds:p95 + sage_llm_call_duration_seconds:all:p50')).toEqual([]);
  expect(problemsOf('sage_no_such_total')).toEqual(['sage_no_such_total is no metric']);
  expect(problemsOf('sage_llm_calls_total_bucket')).toEqual(['sage_llm_calls_total_bucket is no metric']);
  expect(problemsOf('sage_llm_calls_total:p95')).toEqual(['sage_llm_calls_total:p95 is no metric']);
  expect(problemsOf('sage_llm_calls_total{user="a"}')).toEqual(['sage_llm_calls_total has no label user']);
});

describe('alerts', () => {
  test('OC2: there is one for each of errors, latency, cost, budget, breaker, dead letters, critical errors and readiness', () => {
    expect(alerts.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'SageRequestErrorsHigh',
        'SageRequestsSlow',
        'SageCostRises',
        'SageBudgetExhausted',
        'SageBreakerOpen',
        'SageDeadLetters',
        'SageCriticalError',
        'SageAgentNotReady',
      ]),
    );
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length);
  });

  test('OC2: each leads to a heading of the runbook, those of service levels too', () => {
    const headings = textOf('runbook.md').match(/^### .+$/gm) ?? [];
    const anchors = headings.map((heading) => heading.slice(4).toLowerCase());
    const urls = Object.values(ruleFiles()).flatMap((text) =>
      Array.from(text.matchAll(/runbook_url: "?([^"\n]+)/g), ([, url = '']) => url),
    );
    expect(urls.length).toBeGreaterThan(alerts.length);
    for (const url of urls) {
      const [path = '', anchor] = url.split('#');
      expect(files.has(path)).toBe(true);
      expect(anchors).toContain(anchor);
    }
    expect(new Set(urls.map((url) => url.split('#')[1]))).toEqual(new Set(anchors));
  });

  test('each has a severity, a summary and a description without figures, so that a repeated alert reads the same', () => {
    for (const { severity, summary, description } of alerts) {
      expect(['page', 'ticket']).toContain(severity);
      expect(summary).toMatch(/\.$/);
      expect(description).toMatch(/\.$/);
      expect(summary + description).not.toContain('$value');
    }
  });
});

test('in fast motion ranges, offsets, intervals and holding times are shorter, and the names of records stay', () => {
  const rules =
    'record: "sage:slo_bad:ratio_rate5m"\nexpr: rate(x[5m] offset 1h)\n  for: "2m"\n  for: 0m\n- interval: "5m"\n';
  expect(scaleDurations(rules, 1 / 60)).toBe(
    'record: "sage:slo_bad:ratio_rate5m"\nexpr: rate(x[5s] offset 60s)\n  for: "2s"\n  for: 0m\n- interval: "5s"\n',
  );
});
