import { expect, test } from '@jest/globals';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';
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

test('the id of a trace is the one that it was decided by, left out or not', () => {
  const samplingRate = 0.5;
  const roots = createRootSampler(samplingRate);
  const sampler = new TraceIdRatioBasedSampler(samplingRate);
  const isWanted = (traceId: string) =>
    sampler.shouldSample(ROOT_CONTEXT, traceId).decision !== SamplingDecision.NOT_RECORD;
  for (let n = 0; n < 1_000; n++) {
    const left = roots.leaveOut();
    expect(isWanted(left?.ids.traceId ?? roots.ids.generateTraceId())).toBe(left === undefined);
  }
});
