import { describe, expect, test } from '@jest/globals';
import { createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { createRootSampler, LeftOutContext, LeftOutSpan } from '../../src/spans/left-out.ts';

const key = createContextKey('test');

describe('the context of a request that is left out', () => {
  const outer = ROOT_CONTEXT.setValue(key, 'outer');
  const span = new LeftOutSpan(7);
  const context = new LeftOutContext(outer, span);

  test('has the span, and what was around it', () => {
    expect(trace.getSpan(context)).toBe(span);
    expect(context.getValue(key)).toBe('outer');
  });

  test('is what the API makes of it where a value is set or deleted', () => {
    const set = context.setValue(key, 'inner');
    expect([set.getValue(key), trace.getSpan(set)]).toEqual(['inner', span]);
    const deleted = context.deleteValue(key);
    expect([deleted.getValue(key), trace.getSpan(deleted)]).toEqual([undefined, span]);
    expect(trace.getSpan(trace.deleteSpan(context))).toBeUndefined();
    expect(context.getValue(key)).toBe('outer');
  });
});

test('a root that is left out has valid ids, made once, and different from those of others', () => {
  const roots = createRootSampler(0);
  const seen = new Set<string>();
  for (let n = 0; n < 1_000; n++) {
    const span = roots.leaveOut();
    if (span === undefined) throw new Error('it was kept');
    const { traceId, spanId } = span.spanContext();
    expect(trace.isSpanContextValid(span.spanContext())).toBe(true);
    expect(span.ids).toEqual({ traceId, spanId, sampled: false });
    expect(span.ids).toBe(span.ids);
    seen.add(traceId).add(spanId);
  }
  expect(seen.size).toBe(2_000);
});
