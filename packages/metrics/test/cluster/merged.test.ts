import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { instrumentsFrom, Merged } from '../../src/cluster/merged.ts';
import { takeSnapshot } from '../../src/cluster/snapshot.ts';
import { createCounter } from '../../src/instruments/counter.ts';
import { createGauge } from '../../src/instruments/gauge.ts';
import { createHistogram } from '../../src/instruments/histogram.ts';
import type { Instrument } from '../../src/instruments/instrument.ts';

const counter = (values: Readonly<Record<string, number>>) => {
  const made = createCounter({ name: 'calls_total', help: 'Calls.', labels: ['model'] }, 1_000);
  for (const [model, value] of Object.entries(values)) made.with(model).inc(value);
  return made;
};
const gauge = (aggregate: 'sum' | 'max' | 'min' | 'mean', level: number) => {
  const made = createGauge({ name: 'level', help: 'Level.', aggregate }, 10);
  made.with().set(level);
  return made;
};
const merge = (processes: readonly (readonly Instrument[])[], limit = 1_000) => {
  const merged = new Merged(limit);
  for (const instruments of processes) merged.add(takeSnapshot(instruments));
  return merged;
};
const linesOf = (merged: Merged) =>
  instrumentsFrom(merged.snapshots()).flatMap((instrument) =>
    instrument.samples().map(({ name = instrument.definition.name, labels, value }) => ({ name, ...labels, value })),
  );

describe('metrics of several processes as one', () => {
  test('counters are summed series by series', () => {
    expect(linesOf(merge([[counter({ a: 1, b: 2 })], [counter({ b: 3, c: 4 })]]))).toEqual([
      { name: 'calls_total', model: 'a', value: 1 },
      { name: 'calls_total', model: 'b', value: 5 },
      { name: 'calls_total', model: 'c', value: 4 },
    ]);
  });

  test.each([
    ['sum', 12],
    ['max', 7],
    ['min', 2],
    ['mean', 4],
  ] as const)('a gauge is the %s of them where it says so', (aggregate, value) => {
    const merged = merge([[gauge(aggregate, 3)], [gauge(aggregate, 7)], [gauge(aggregate, 2)]]);
    expect(linesOf(merged)).toEqual([{ name: 'level', value }]);
  });

  test('histograms are those of one process that saw all values', () => {
    const definition = { name: 'wait_seconds', help: 'Waits.', labels: ['pool'], buckets: [0.1, 1, 10] } as const;
    const values = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.double({ min: 0, max: 20, noNaN: true })));
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 4 }), (processes) => {
        const whole = createHistogram(definition, 10);
        const parts = processes.map((seen) => {
          const part = createHistogram(definition, 10);
          for (const [pool, value] of seen) {
            part.with(pool).observe(value);
            whole.with(pool).observe(value);
          }
          return [part];
        });
        const sorted = (lines: readonly Record<string, unknown>[]) =>
          lines
            .map(({ value, ...rest }) => [JSON.stringify(rest), Number(Number(value).toFixed(6))] as const)
            .toSorted(([one], [other]) => one.localeCompare(other));
        expect(sorted(linesOf(merge(parts)))).toEqual(sorted(linesOf(merge([[whole]]))));
      }),
    );
  });

  test('of a process that ended its totals stay, and what it had is gone', () => {
    const merged = new Merged(10);
    merged.add(takeSnapshot([counter({ a: 3 }), gauge('sum', 5)]), true);
    expect(linesOf(merged)).toEqual([{ name: 'calls_total', model: 'a', value: 3 }]);
  });

  test('series beyond the limit are added up under other, and no count is lost', () => {
    const many = Array.from({ length: 50 }, (_, worker) => [
      counter(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`m${worker}-${i}`, 1]))),
    ]);
    const lines = linesOf(merge(many, 10));
    expect(lines).toHaveLength(11);
    expect(lines.reduce((sum, { value }) => sum + value, 0)).toBe(1_000);
    expect(lines.at(-1)).toEqual({ name: 'calls_total', model: 'other', value: 990 });
  });

  test('a metric with other buckets is not mixed in, and that is counted', () => {
    const of = (buckets: readonly number[]) => {
      const made = createHistogram({ name: 'wait_seconds', help: 'Waits.', buckets }, 10);
      made.with().observe(0.5);
      return [made];
    };
    const merged = merge([of([1]), of([1, 2]), of([1])]);
    expect(merged.conflicts).toBe(1);
    expect(linesOf(merged).find(({ name }) => name === 'wait_seconds_count')?.value).toBe(2);
  });

  test('what is merged can be read in pieces', () => {
    const definition = { name: 'wait_seconds', help: 'Waits.', labels: ['pool'], buckets: [1, 2] } as const;
    const made = createHistogram(definition, 100);
    for (let i = 0; i < 40; i++) made.with(`p${i}`).observe(1);
    const [instrument] = instrumentsFrom(takeSnapshot([made]));
    expect(instrument?.size).toBe(40);
    expect([...(instrument?.samples(0, 32) ?? []), ...(instrument?.samples(32, 64) ?? [])]).toEqual(made.samples());
  });
});
