import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from '@jest/globals';
import {
  emit,
  mirrorToDiagnosticsChannel,
  observe,
  observerFailures,
  operate,
  source,
  sources,
  trace,
} from '../../src/index.ts';
import { entry } from './support.ts';

const changed = { dependency: 'd', from: 'closed', to: 'open', reason: 'failures' } as const;

test('an event reaches its observers, and one that throws is only counted', () => {
  const before = observerFailures();
  const seen: unknown[] = [];
  const bad = observe({
    name: 'bad',
    event: () => () => {
      throw new Error('x');
    },
  });
  const good = observe({ name: 'good', events: { 'breaker.changed': (event) => void seen.push(event) } });
  emit('breaker.changed', changed);
  bad[Symbol.dispose]();
  good[Symbol.dispose]();
  emit('breaker.changed', changed);
  expect(seen).toEqual([changed]);
  expect(observerFailures() - before).toBe(1);
});

test('a source is read when asked, until it is disposed', () => {
  let count = 0;
  const counters = source('limiter.memory', () => ({ checks: count }));
  count = 5;
  expect(sources().map((one) => [one.name, one.read()])).toEqual([['limiter.memory', { checks: 5 }]]);
  counters[Symbol.dispose]();
  expect(sources()).toEqual([]);
});

test('the mirror publishes operations and events on diagnostics channels, and costs nothing else', () => {
  const messages: unknown[] = [];
  const listen = (message: unknown): void => void messages.push((message as { phase: string }).phase);
  const mirror = mirrorToDiagnosticsChannel();
  subscribe('sage-adk:storage.get', listen);
  subscribe('sage-adk:breaker.changed', listen);
  operate('storage.get', entry, () => 1);
  emit('breaker.changed', changed);
  unsubscribe('sage-adk:storage.get', listen);
  unsubscribe('sage-adk:breaker.changed', listen);
  operate('storage.get', entry, () => 1);
  mirror[Symbol.dispose]();
  expect(messages).toEqual(['start', 'end', 'event']);
});

test('the active trace is that of the first observer that has one', () => {
  expect(trace()).toBeUndefined();
  const none = observe({ name: 'none', trace: () => undefined });
  const tracing = observe({
    name: 'tracing',
    trace: () => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true }),
  });
  expect(trace()?.sampled).toBe(true);
  none[Symbol.dispose]();
  tracing[Symbol.dispose]();
});

test('an operation that has ended is found in its trace by its record', () => {
  const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };
  let ended: string | undefined;
  const subscriptions = [
    observe({ name: 'tracing', trace: (operation) => (operation?.name === 'storage.get' ? ids : undefined) }),
    observe({ name: 'logging', operation: () => ({ end: (operation) => void (ended = trace(operation)?.spanId) }) }),
  ];
  operate('storage.get', entry, () => expect(trace()).toBeUndefined());
  expect(ended).toBe(ids.spanId);
  for (const subscription of subscriptions) subscription[Symbol.dispose]();
});
