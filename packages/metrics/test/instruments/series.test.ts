import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createCounter } from '../../src/instruments/counter.ts';
import { createGauge } from '../../src/instruments/gauge.ts';
import { sumOf } from '../support/exposition-text.ts';

const definition = {
  name: 'calls_total',
  help: 'Calls.',
  labels: ['model', 'outcome'],
  values: { outcome: ['ok', 'error'] },
} as const;

describe('the series of a metric', () => {
  test('equal values are one series, whatever their type', () => {
    const counter = createCounter({ name: 'calls_total', help: 'Calls.', labels: ['stream'] }, 100);
    counter.with(true).inc();
    counter.with('true').inc();
    expect(counter.with(true)).toBe(counter.with('true'));
    expect(counter.samples()).toEqual([{ labels: { stream: 'true' }, value: 2 }]);
  });

  test('values that come in turn are counted each for itself', () => {
    const counter = createCounter(definition, 100);
    for (const model of ['a', 'b', 'a', 'a', 'b'])
      for (const outcome of ['ok', 'error']) counter.with(model, outcome).inc();
    expect(counter.samples().map(({ labels, value }) => [labels['model'], labels['outcome'], value])).toEqual([
      ['a', 'ok', 3],
      ['a', 'error', 3],
      ['b', 'ok', 2],
      ['b', 'error', 2],
    ]);
  });

  test('a value outside of a closed set is other', () => {
    const counter = createCounter(definition, 100);
    counter.with('m', 'strange').inc();
    counter.with('m', undefined).inc();
    expect(counter.samples()).toEqual([{ labels: { model: 'm', outcome: 'other' }, value: 2 }]);
    expect(counter.overflowed).toBe(0);
  });

  test('a value of more than 128 characters is other', () => {
    const counter = createCounter(definition, 100);
    counter.with('m'.repeat(129), 'ok').inc();
    expect(counter.samples()).toEqual([{ labels: { model: 'other', outcome: 'ok' }, value: 1 }]);
  });

  test('values that are the same in UTF-8 are one series', () => {
    const counter = createCounter({ name: 'calls_total', help: 'Calls.', labels: ['method'] }, 10);
    for (const method of ['\uD800', '\uD801', '\uD801', '\uFFFD']) counter.with(method).inc();
    expect(counter.samples()).toEqual([{ labels: { method: '\uFFFD' }, value: 4 }]);
    expect(counter.overflowed).toBe(0);
  });

  test('what comes after the limit is counted under other, and closed labels keep their value', () => {
    const counter = createCounter(definition, 10);
    for (let i = 0; i < 50; i++) counter.with(`model-${i}`, i % 2 === 0 ? 'ok' : 'error').inc();
    const overflow = counter.samples().filter(({ labels }) => labels['model'] === 'other');
    expect(counter.size).toBeLessThanOrEqual(10);
    expect(overflow.map(({ labels }) => labels['outcome']).toSorted()).toEqual(['error', 'ok']);
    expect(counter.overflowed).toBe(sumOf(overflow));
    expect(sumOf(counter.samples())).toBe(50);
  });

  test('where the closed labels alone would fill the limit, one series takes the overflow', () => {
    const counter = createCounter(definition, 3);
    for (let i = 0; i < 9; i++) counter.with(`model-${i}`, 'ok').inc();
    expect(counter.samples()).toEqual([
      { labels: { model: 'model-0', outcome: 'ok' }, value: 1 },
      { labels: { model: 'model-1', outcome: 'ok' }, value: 1 },
      { labels: { model: 'other', outcome: 'other' }, value: 7 },
    ]);
  });

  test('whatever the values are, no more series than the limit, and nothing is lost', () => {
    const value = fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.constant(undefined), fc.constant('other'));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, fc.oneof(value, fc.constantFrom('ok', 'error')))),
        fc.integer({ min: 1, max: 12 }),
        (calls, limit) => {
          const counter = createCounter(definition, limit);
          let total = 0;
          for (const [model, outcome] of calls) {
            counter.with(model, outcome).inc();
            expect(sumOf(counter.samples())).toBe(++total);
            expect(counter.size).toBeLessThanOrEqual(limit);
          }
          const seen = counter.samples().map(({ labels }) => JSON.stringify(labels));
          expect(new Set(seen).size).toBe(seen.length);
        },
      ),
    );
  });

  test('a bound cell stays in use after the limit is reached and after a reset', () => {
    const gauge = createGauge({ name: 'level', help: 'Level.', labels: ['of'] }, 2);
    const cell = gauge.with('a');
    gauge.with('b');
    gauge.with('c').inc();
    cell.inc(5);
    cell.dec(2);
    expect(gauge.samples()).toEqual([
      { labels: { of: 'a' }, value: 3 },
      { labels: { of: 'other' }, value: 1 },
    ]);
    gauge.reset();
    cell.set(7);
    expect(gauge.samples()).toEqual([
      { labels: { of: 'a' }, value: 7 },
      { labels: { of: 'other' }, value: 0 },
    ]);
  });
});
