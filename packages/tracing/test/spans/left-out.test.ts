import { expect, test } from '@jest/globals';
import { trace } from '@opentelemetry/api';
import { createRootSampler } from '../../src/spans/left-out.ts';

test('a root that is left out has valid ids, made once, and different from those of others', () => {
  const roots = createRootSampler(0);
  const spans = Array.from({ length: 1_000 }, () => roots.leaveOut());
  const contexts = spans.map((span) => span?.spanContext());
  expect(contexts.every((context) => context !== undefined && trace.isSpanContextValid(context))).toBe(true);
  expect(spans.map((span) => span?.ids)).toEqual(
    contexts.map((context) => ({ traceId: context?.traceId, spanId: context?.spanId, sampled: false })),
  );
  expect(spans.filter((span) => span?.ids !== span?.ids)).toEqual([]);
  expect(new Set(contexts.flatMap((context) => [context?.traceId, context?.spanId])).size).toBe(2_000);
});
