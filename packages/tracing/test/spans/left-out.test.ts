import { expect, test } from '@jest/globals';
import { trace } from '@opentelemetry/api';
import { createRootSampler } from '../../src/spans/left-out.ts';

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
