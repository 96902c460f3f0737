import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHistogram } from '../../src/instruments/histogram.ts';
import { createMetrics, type Metrics } from '../../src/index.ts';
import { quantiles } from '../../src/quantiles/index.ts';

const buckets = [0.1, 0.2, 0.4, 0.8, 1.6] as const;
let metrics: Metrics;
beforeEach(() => void (metrics = createMetrics({ runtime: false })));
afterEach(() => metrics.close());

describe('quantiles of this process', () => {
  test('OM4: are what histogram_quantile of PromQL says', async () => {
    const histogram = metrics.histogram({ name: 'wait_seconds', help: 'Waits.', labels: ['pool'], buckets });
    for (const value of [0.15, 0.15, 0.3, 0.3]) histogram.with('a').observe(value);
    histogram.with('b').observe(5);
    const of = (where?: Record<string, string>) =>
      quantiles({ metrics, name: 'wait_seconds', ...(where && { where }) }, [0, 0.25, 0.5, 0.75, 1]);
    expect(await of({ pool: 'a' })).toEqual([0.1, 0.15, 0.2, 0.3, 0.4].map((value) => expect.closeTo(value, 9)));
    expect((await of({ pool: 'b' }))[4]).toBe(1.6);
    expect((await of())[2]).toBeCloseTo(0.25);
    expect(await of({ pool: 'none' })).toEqual(Array.from({ length: 5 }, () => undefined));
  });

  test('are within the bucket that holds the value of that rank', async () => {
    const values = fc.array(fc.double({ min: 0.001, max: 1.6, noNaN: true }), { minLength: 1, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(values, fc.double({ min: 0.01, max: 1, noNaN: true }), async (seen, quantile) => {
        const histogram = createHistogram({ name: 'wait_seconds', help: 'Waits.', buckets }, 10);
        for (const value of seen) histogram.with().observe(value);
        const [found = -1] = await quantiles({ metrics: { instruments: [histogram] }, name: 'wait_seconds' }, [
          quantile,
        ]);
        const exact = seen.toSorted((a, b) => a - b)[Math.ceil(quantile * seen.length) - 1] ?? -1;
        const upper = buckets.find((bound) => exact <= bound) ?? 0;
        const lower = buckets[buckets.indexOf(upper as 0.1) - 1] ?? 0;
        expect(found).toBeGreaterThanOrEqual(lower - 1e-9);
        expect(found).toBeLessThanOrEqual(upper + 1e-9);
      }),
    );
  });

  test('a name that is no histogram, and a quantile that is none, are refused', async () => {
    const code = 'SAGE_CORE_INVALID_OPTION';
    await expect(quantiles({ metrics, name: 'sage_agent_requests_total' }, [0.5])).rejects.toMatchObject({ code });
    await expect(quantiles({ metrics, name: 'sage_tool_duration_seconds' }, [95])).rejects.toMatchObject({ code });
  });
});
