import { expect, test } from '@jest/globals';
import { createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { withSpan } from '../../src/context/with-span.ts';

const key = createContextKey('test');
const spanOf = (spanId: string) => trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId, traceFlags: 1 });
const span = spanOf('b'.repeat(16));
const inner = spanOf('c'.repeat(16));
const outer = ROOT_CONTEXT.setValue(key, 'outer');

test('a context with a span has the span, and what was around it', () => {
  const context = withSpan(outer, span);
  expect(trace.getSpan(context)).toBe(span);
  expect(context.getValue(key)).toBe('outer');
});

test('it is what the API makes of it where a value is set or deleted, and stays what it was', () => {
  const context = withSpan(outer, span);
  const set = context.setValue(key, 'inner');
  expect([set.getValue(key), trace.getSpan(set)]).toEqual(['inner', span]);
  const deleted = context.deleteValue(key);
  expect([deleted.getValue(key), trace.getSpan(deleted)]).toEqual([undefined, span]);
  expect(trace.getSpan(trace.deleteSpan(context))).toBeUndefined();
  expect([context.getValue(key), trace.getSpan(context)]).toEqual(['outer', span]);
});

test('a span within a span, with a value set between, hides the outer one and nothing else', () => {
  const direct = withSpan(withSpan(outer, span), inner);
  const between = withSpan(withSpan(outer, span).setValue(key, 'between'), inner);
  expect([direct.getValue(key), trace.getSpan(direct)]).toEqual(['outer', inner]);
  expect([between.getValue(key), trace.getSpan(between)]).toEqual(['between', inner]);
});
