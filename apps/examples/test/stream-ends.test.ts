/** Each way for a stream of a model to end, seen by a tracer, by metrics and by a limiter that know nothing of the wrapper: one span that ended, right counts, one settlement. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SpanStatusCode } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { type LimitCosts, type LimiterPolicy, openOperations, type Outcome } from '@sage-adk/core';
import { createPriceTable, type LlmPolicies, wrapFetch } from '@sage-adk/llm';
import { createFaultyProvider, type FaultyProvider, type FaultyProviderOptions } from '@sage-adk/llm/testing';
import { createMetrics, type Metrics } from '@sage-adk/metrics';
import { observeTracing } from '@sage-adk/tracing';

interface Way {
  readonly name: string;
  readonly behaviour?: FaultyProviderOptions;
  readonly limits?: LlmPolicies['stall'];
  /** @default reads all of it */
  readonly read?: (response: Response, controller: AbortController) => Promise<unknown>;
  readonly meanwhile?: (controller: AbortController) => void;
  readonly outcome: Outcome;
  /** Content came, so that something was used. */
  readonly used: boolean;
}

const never = Number.POSITIVE_INFINITY;
const leave = async (response: Response) => {
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
};
const abort =
  (reason?: unknown) =>
  async (response: Response, controller: AbortController): Promise<unknown> => {
    const reading = response.text();
    controller.abort(reason);
    return reading;
  };

const ways: readonly Way[] = [
  { name: 'it is read to its end', outcome: 'ok', used: true },
  { name: 'it is cut after content', behaviour: { cutAfter: { contents: 3 } }, outcome: 'error', used: true },
  { name: 'it is cut before content', behaviour: { cutAfter: { contents: 0 } }, outcome: 'error', used: false },
  { name: 'it ends too early', behaviour: { endAfter: { contents: 3 } }, outcome: 'error', used: true },
  {
    name: 'it stalls after content',
    behaviour: { stallAfter: { contents: 3 }, keepAliveMs: 4 },
    limits: { betweenContentsMs: 20 },
    outcome: 'timeout',
    used: true,
  },
  {
    name: 'it stalls before content',
    behaviour: { stallAfter: { contents: 0 }, keepAliveMs: 4 },
    limits: { firstContentMs: 20 },
    outcome: 'timeout',
    used: false,
  },
  {
    name: 'it takes too long in all',
    behaviour: { endless: true, tokenDelayMs: 3 },
    limits: { totalMs: 1_000 },
    outcome: 'timeout',
    used: true,
  },
  {
    name: 'the caller aborts before content',
    behaviour: { latencyMs: never },
    meanwhile: (controller) => controller.abort(),
    outcome: 'cancelled',
    used: false,
  },
  {
    name: 'the caller aborts after content',
    behaviour: { stallAfter: { contents: 3 } },
    read: abort(),
    outcome: 'cancelled',
    used: true,
  },
  {
    name: 'the time of the caller is over',
    behaviour: { stallAfter: { contents: 3 } },
    read: abort(new DOMException('late', 'TimeoutError')),
    outcome: 'timeout',
    used: true,
  },
  {
    name: 'the consumer leaves in the middle',
    behaviour: { endless: true },
    read: leave,
    outcome: 'cancelled',
    used: true,
  },
  { name: 'it is never read', behaviour: { endless: true }, read: async () => {}, outcome: 'cancelled', used: true },
  {
    name: 'an error comes in the middle',
    behaviour: { errorEventAt: { contents: 3 }, status: 503 },
    outcome: 'error',
    used: true,
  },
  {
    name: 'an error comes in place of content',
    behaviour: { errorEventAt: { contents: 0 }, status: 503 },
    outcome: 'error',
    used: false,
  },
  { name: 'no event can be read', behaviour: { malformedAt: 0 }, outcome: 'error', used: false },
  { name: 'the provider answers 503', behaviour: { status: 503 }, outcome: 'error', used: false },
  { name: 'the provider hangs up', behaviour: { hangUp: true }, outcome: 'error', used: false },
];

const apis = [
  ['openai', '/v1/chat/completions', { model: 'gpt-4.1' }],
  ['anthropic', '/v1/messages', { model: 'claude-next', max_tokens: 1_000 }],
] as const;

const rates = { input: 2, output: 8 };
const price = createPriceTable({ prices: { openai: { 'gpt-4.1': rates }, anthropic: { 'claude-next': rates } } });
const exporter = new InMemorySpanExporter();
const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

let provider: FaultyProvider;
let metrics: Metrics;
let tracing: Disposable;
beforeEach(async () => {
  provider = await createFaultyProvider();
  metrics = createMetrics({ runtime: false });
  exporter.reset();
  tracing = observeTracing({ tracer: tracers.getTracer('test') });
});
afterEach(async () => {
  tracing[Symbol.dispose]();
  await Promise.all([metrics.close(), provider.close()]);
});

describe.each(apis)('a stream of %s', (name, path, asked) => {
  test.each(ways.map((way) => [way.name, way] as const))('where %s', async (_name, way) => {
    const settled: LimitCosts[] = [];
    provider.next({ text: 'one two three four five six seven', ...way.behaviour });
    const body = JSON.stringify({ ...asked, messages: [{ role: 'user', content: 'Hello' }], stream: true });
    const modelFetch = wrapFetch(fetch, { limiter: limiterInto(settled), price, stall: way.limits ?? {} });
    await callOnce(way, (signal) => modelFetch(`${provider.url}${path}`, { method: 'POST', body, signal }));
    await until(() => settled.length > 0 && exporter.getFinishedSpans().length > 0);

    expect(settled).toHaveLength(1);
    expect(openOperations()).toBe(0);
    const spans = exporter.getFinishedSpans();
    expect(spans.map((span) => [span.name, span.ended])).toEqual([[`chat ${asked.model}`, true]]);
    const isFailure = way.outcome === 'error' || way.outcome === 'timeout';
    expect(spans[0]?.status.code === SpanStatusCode.ERROR).toBe(isFailure);
    await expectCounts(name, asked.model, way, settled[0]);
  });
});

/** Holds on to nothing of the answer, so that one that nobody reads can be collected. */
async function callOnce(
  { meanwhile, read = (response) => response.text() }: Way,
  call: (signal: AbortSignal) => Promise<Response>,
): Promise<void> {
  const controller = new AbortController();
  if (meanwhile !== undefined) void until(() => provider.counters.open > 0).then(() => meanwhile(controller));
  try {
    await read(await call(controller.signal), controller);
  } catch {
    // How the caller is told is another test's subject.
  }
}

async function expectCounts(name: string, model: string, way: Way, settled: LimitCosts | undefined): Promise<void> {
  const text = await metrics.registry.metrics();
  const lines = text.split('\n').filter((line) => line.startsWith('sage_llm_'));
  const valueOf = (pattern: RegExp): number =>
    lines.filter((line) => pattern.test(line)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  const labels = `provider="${name}",model="${model}"`;
  const isFailure = way.outcome === 'error' || way.outcome === 'timeout';
  expect(valueOf(/^sage_llm_calls_total/)).toBe(1);
  expect(valueOf(new RegExp(`^sage_llm_calls_total\\{${labels},.*outcome="${way.outcome}"`))).toBe(1);
  expect(valueOf(/^sage_llm_call_duration_seconds_count/)).toBe(1);
  expect(valueOf(/^sage_llm_errors_total/)).toBe(isFailure ? 1 : 0);
  const output = valueOf(/^sage_llm_tokens_total.*type="output"/);
  const cost = valueOf(/^sage_llm_cost_usd_total/);
  if (!way.used) return;
  expect(output).toBeGreaterThan(0);
  expect(cost).toBeGreaterThan(0);
  // What is told and what is settled come of one reckoning.
  expect(output).toBe(settled?.outputTokens);
  expect(cost).toBeCloseTo(Number(settled?.costNanoUsd) / 1e9, 12);
}

/** Grants all, and writes down what is settled. */
function limiterInto(settled: LimitCosts[]): LimiterPolicy {
  return {
    reserve: async () => ({
      allowed: true,
      settle: async (costs) => void settled.push(costs),
      cancel: async () => void settled.push({}),
    }),
  };
}

/** What nobody reads is found by the collector. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 3_000 && !isSo(); turn++) {
    if (turn > 20) globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
