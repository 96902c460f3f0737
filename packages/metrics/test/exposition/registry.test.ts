import { afterEach, describe, expect, test } from '@jest/globals';
import { type OpenMetricsContentType, Counter as PromCounter, Registry } from 'prom-client';
import { createMetrics, type Metrics, type MetricsOptions } from '../../src/index.ts';
import { valueIn } from '../support/exposition-text.ts';

const open: Metrics[] = [];
const create = (options: MetricsOptions = {}): Metrics => {
  const metrics = createMetrics({ runtime: false, ...options });
  open.push(metrics);
  return metrics;
};
afterEach(() => Promise.all(open.splice(0).map((metrics) => metrics.close())));

describe('with prom-client', () => {
  test('metrics stand beside those of the user in the registry of the user', async () => {
    const registry = new Registry();
    new PromCounter({ name: 'mine_total', help: 'Mine.', registers: [registry] }).inc(3);
    create({ registry });
    const text = await registry.metrics();
    expect(valueIn(text, 'mine_total')).toBe(3);
    expect(valueIn(text, 'sage_build_info')).toBe(1);
  });

  test('label values are escaped and default labels are added', async () => {
    const registry = new Registry();
    registry.setDefaultLabels({ cluster: 'eu' });
    const metrics = create({ registry });
    metrics
      .counter({ name: 'odd_total', help: 'Odd.', labels: ['text'] })
      .with('a"b\\c\nd')
      .inc();
    expect(await registry.getSingleMetricAsString('odd_total')).toBe(
      '# HELP odd_total Odd.\n# TYPE odd_total counter\nodd_total{text="a\\"b\\\\c\\nd",cluster="eu"} 1',
    );
  });

  test('a histogram is rendered as prom-client renders its own', async () => {
    const metrics = create();
    metrics
      .histogram({ name: 'wait_seconds', help: 'Wait.', labels: ['queue'], buckets: [0.5, 1] })
      .with('q')
      .observe(0.7);
    expect(await (metrics.registry as Registry).getSingleMetricAsString('wait_seconds')).toBe(
      [
        '# HELP wait_seconds Wait.',
        '# TYPE wait_seconds histogram',
        'wait_seconds_bucket{le="0.5",queue="q"} 0',
        'wait_seconds_bucket{le="1",queue="q"} 1',
        'wait_seconds_bucket{le="+Inf",queue="q"} 1',
        'wait_seconds_sum{queue="q"} 0.7',
        'wait_seconds_count{queue="q"} 1',
      ].join('\n'),
    );
  });

  test('OpenMetrics has one _total per counter, scrape after scrape', async () => {
    const registry = new Registry<OpenMetricsContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const metrics = create({ registry });
    metrics.counter({ name: 'calls_total', help: 'Calls.' }).with().inc();
    await registry.metrics();
    const text = await registry.metrics();
    expect(text).toContain('# TYPE calls counter\ncalls_total 1\n');
    expect(text.endsWith('# EOF\n')).toBe(true);
  });

  test('resetting the registry empties the cells, and the JSON form is there', async () => {
    const metrics = create();
    const registry = metrics.registry as Registry;
    metrics.gauge({ name: 'level', help: 'Level.' }).with().set(4);
    expect((await registry.getMetricsAsJSON()).find(({ name }) => name === 'level')).toMatchObject({
      values: [{ value: 4 }],
    });
    registry.resetMetrics();
    expect(valueIn(await registry.metrics(), 'level')).toBe(0);
  });

  test('a name that is taken is refused, and nothing is half registered', () => {
    const registry = new Registry();
    registry.registerMetric(new PromCounter({ name: 'sage_llm_calls_total', help: 'Mine.', registers: [] }));
    expect(() => createMetrics({ registry, runtime: false })).toThrow(
      expect.objectContaining({
        code: 'SAGE_METRICS_NAME_TAKEN',
        message: expect.stringContaining('sage_llm_calls_total'),
      }),
    );
    expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual(['sage_llm_calls_total']);
  });

  test('closing takes the metrics out, so that others can come into the same registry', async () => {
    const registry = new Registry();
    const first = create({ registry });
    first.counter({ name: 'calls_total', help: 'Calls.' });
    await first.close();
    await first.close();
    expect(registry.getMetricsAsArray()).toEqual([]);
    expect(() => first.counter({ name: 'late_total', help: 'Late.' })).toThrow(
      expect.objectContaining({ code: 'SAGE_METRICS_CLOSED' }),
    );
    expect(() => create({ registry })).not.toThrow();
  });

  test('an option out of range is refused', () => {
    expect(() => createMetrics({ seriesPerMetric: 0 })).toThrow(/seriesPerMetric is 0/);
  });
});
