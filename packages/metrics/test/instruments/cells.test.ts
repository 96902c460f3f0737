import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Histogram as PromHistogram, Registry } from 'prom-client';
import { createCounter } from '../../src/instruments/counter.ts';
import { createHistogram } from '../../src/instruments/histogram.ts';

const plain = { name: 'calls_total', help: 'Calls.' } as const;

describe('a counter', () => {
  test('counts from 0, and a metric without labels is there before its first count', () => {
    const counter = createCounter(plain, 10);
    expect(counter.samples()).toEqual([{ labels: {}, value: 0 }]);
    counter.with().inc();
    counter.with().inc(2.5);
    expect(counter.samples()).toEqual([{ labels: {}, value: 3.5 }]);
  });

  test.each([-1, 0, Number.NaN, Number.POSITIVE_INFINITY])('never goes back: %s is ignored', (amount) => {
    const counter = createCounter(plain, 10);
    counter.with().inc(1);
    counter.with().inc(amount);
    expect(counter.samples()[0]?.value).toBe(1);
  });

  test('sums of parts are exact', () => {
    const counter = createCounter({ ...plain, partsPerUnit: 1e9 }, 10);
    for (let i = 0; i < 1_000; i++) counter.with().inc(100_000_000);
    expect(counter.samples()[0]?.value).toBe(100);
  });
});

describe('a histogram', () => {
  test('a value on a bound belongs to that bucket, as in Prometheus', () => {
    const histogram = createHistogram({ name: 'wait_seconds', help: 'Wait.', buckets: [1, 2] }, 10);
    for (const value of [0.5, 1, 1.5, 2, 3, Number.NaN]) histogram.with().observe(value);
    expect(histogram.samples().map(({ name, labels, value }) => [name, labels['le'], value])).toEqual([
      ['wait_seconds_bucket', '1', 2],
      ['wait_seconds_bucket', '2', 4],
      ['wait_seconds_bucket', '+Inf', 5],
      ['wait_seconds_sum', undefined, 8],
      ['wait_seconds_count', undefined, 5],
    ]);
  });

  test('agrees with prom-client on any values and bounds', async () => {
    const value = fc.double({ noNaN: true, min: -1_000, max: 1_000 });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(value, { minLength: 1, maxLength: 20, comparator: (a, b) => a === b }),
        fc.array(value),
        async (bounds, values) => {
          const buckets = bounds.toSorted((a, b) => a - b);
          const ours = createHistogram({ name: 'wait_seconds', help: 'Wait.', buckets }, 10);
          const theirs = new PromHistogram({
            name: 'wait_seconds',
            help: 'Wait.',
            buckets,
            registers: [new Registry()],
          });
          for (const one of values) {
            ours.with().observe(one);
            theirs.observe(one);
          }
          const expected = (await theirs.get()).values.map((sample) => sample.value);
          expect(ours.samples().map((sample) => sample.value)).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('a reset empties it', () => {
    const histogram = createHistogram({ name: 'wait_seconds', help: 'Wait.', buckets: [1] }, 10);
    histogram.with().observe(0.5);
    histogram.reset();
    expect(histogram.samples().every(({ value }) => value === 0)).toBe(true);
  });
});
