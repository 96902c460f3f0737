import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  begin,
  compose,
  defineErrors,
  emit,
  observerFailures,
  operate,
  operateStream,
  run,
  source,
} from '@sage-adk/core';
import { catalogue } from '@sage-adk/core/catalogue';
import { createMetrics, type Metrics } from '../../src/index.ts';
import { readSamples, valueIn } from '../support/exposition-text.ts';

const errors = defineErrors('METRICS_TEST', {
  DOWN: { category: 'transient', status: 503, message: 'Down.' },
  DENIED: { category: 'permanent', outcome: 'denied', status: 403, message: 'Denied.' },
});

let metrics: Metrics;
beforeEach(
  () =>
    void (metrics = createMetrics({ runtime: false, seriesPerMetric: 100, build: { agent: 'a', version: '1.2.3' } })),
);
afterEach(() => metrics.close());

const valueOf = async (name: string, labels?: Readonly<Record<string, string>>): Promise<number | undefined> =>
  valueIn(await metrics.registry.metrics(), name, labels);
const failing = (error: Error) => () => Promise.reject(error);

describe('requests to the agent', () => {
  const start = { protocol: 'a2a', method: 'SendMessage', stream: false } as const;
  const labels = { protocol: 'a2a', method: 'SendMessage', stream: 'false' };

  test('OM2: each is counted when it ends, and while it runs as in flight', async () => {
    const request = begin('agent.request', start);
    expect(await valueOf('sage_agent_requests_in_flight', { protocol: 'a2a' })).toBe(1);
    expect(await valueOf('sage_agent_requests_total', { ...labels, outcome: 'ok' })).toBeUndefined();
    request.end();
    request.end();
    expect(await valueOf('sage_agent_requests_in_flight', { protocol: 'a2a' })).toBe(0);
    expect(await valueOf('sage_agent_requests_total', { ...labels, outcome: 'ok' })).toBe(1);
  });

  test('OM3: errors have their category and declared code; what was denied or cancelled is no error', async () => {
    await expect(operate('agent.request', start, failing(errors.DOWN()))).rejects.toThrow();
    await expect(
      operate('agent.request', start, failing(Object.assign(new Error('?'), { code: 'MADE_UP' }))),
    ).rejects.toThrow();
    await expect(operate('agent.request', start, failing(errors.DENIED()))).rejects.toThrow();
    await expect(operate('agent.request', start, failing(new DOMException('gone', 'AbortError')))).rejects.toThrow();
    const samples = readSamples(await metrics.registry.metrics()).filter(
      ({ name }) => name === 'sage_agent_errors_total',
    );
    expect(samples.map(({ labels, value }) => ({ ...labels, value }))).toEqual([
      { protocol: 'a2a', category: 'transient', code: 'SAGE_METRICS_TEST_DOWN', value: 1 },
      { protocol: 'a2a', category: 'unknown', code: 'none', value: 1 },
    ]);
    for (const outcome of ['denied', 'cancelled'])
      expect(await valueOf('sage_agent_requests_total', { ...labels, outcome })).toBe(1);
    expect(await valueOf('sage_agent_requests_total', { ...labels, outcome: 'error' })).toBe(2);
  });

  test('OM4: durations are in buckets from 10 ms to more than five minutes, for p50, p95 and p99', async () => {
    await operate('agent.request', start, async () => {});
    const samples = readSamples(await metrics.registry.metrics());
    const bounds = samples
      .filter(({ name }) => name === 'sage_agent_request_duration_seconds_bucket')
      .map(({ labels }) => labels['le']);
    expect([bounds[0], bounds.at(-2), bounds.at(-1)]).toEqual(['0.01', '327.68', '+Inf']);
    expect(await valueOf('sage_agent_request_duration_seconds_count', { outcome: 'ok' })).toBe(1);
  });

  test('hostile methods end at other, and no request is lost', async () => {
    for (let i = 0; i < 500; i++) operate('agent.request', { ...start, method: `m${i}` }, () => {});
    const samples = readSamples(await metrics.registry.metrics());
    const requests = samples.filter(({ name }) => name === 'sage_agent_requests_total');
    expect(requests.length).toBeLessThanOrEqual(100);
    expect(requests.reduce((sum, { value }) => sum + value, 0)).toBe(500);
    expect(
      valueIn(await metrics.registry.metrics(), 'sage_metrics_overflow_total', { metric: 'sage_agent_requests_total' }),
    ).toBeGreaterThan(0);
  });
});

describe('calls of a model', () => {
  const start = { provider: 'openai', model: 'gpt-x', api: 'chat', stream: true } as const;
  const model = { provider: 'openai', model: 'gpt-x' };

  test('OM6: each logical call is counted by provider, model and outcome', async () => {
    await operate('llm.call', start, async () => {});
    expect(await valueOf('sage_llm_calls_total', { ...model, api: 'chat', stream: 'true', outcome: 'ok' })).toBe(1);
  });

  test('OM7: input and output tokens add up to the total; cached, cache writes and reasoning are told apart', async () => {
    await operate('llm.call', start, async (operation) => {
      operation.set({
        inputTokens: 100,
        outputTokens: 20,
        cachedInputTokens: 60,
        cacheWriteTokens: 5,
        reasoningTokens: 7,
      });
    });
    const samples = readSamples(await metrics.registry.metrics());
    const total = samples
      .filter(({ name }) => name === 'sage_llm_tokens_total')
      .reduce((sum, { value }) => sum + value, 0);
    expect(total).toBe(120);
    expect(await valueOf('sage_llm_tokens_total', { ...model, type: 'input' })).toBe(100);
    for (const [part, value] of [
      ['cached_input', 60],
      ['cache_write', 5],
      ['reasoning', 7],
    ] as const) {
      expect(await valueOf('sage_llm_token_parts_total', { ...model, part })).toBe(value);
    }
  });

  test('OM6 OM7: calls of models that take turns are each counted for their own', async () => {
    const other = { ...start, model: 'other' };
    for (const [from, inputTokens] of [
      [start, 1],
      [other, 10],
      [start, 2],
      [start, 3],
      [other, 20],
    ] as const) {
      await operate('llm.call', from, async (operation) => operation.set({ inputTokens }));
    }
    for (const [labels, calls, tokens] of [
      [model, 3, 6],
      [{ ...model, model: 'other' }, 2, 30],
    ] as const) {
      expect(await valueOf('sage_llm_calls_total', { ...labels, api: 'chat', stream: 'true', outcome: 'ok' })).toBe(
        calls,
      );
      expect(await valueOf('sage_llm_call_duration_seconds_count', { ...labels, outcome: 'ok' })).toBe(calls);
      expect(await valueOf('sage_llm_tokens_total', { ...labels, type: 'input' })).toBe(tokens);
    }
  });

  test('OM8: duration, time to the first token and time per output token of a stream', async () => {
    const stream = operateStream('llm.call', start, async function* (operation) {
      yield 'a';
      operation.set({ firstTokenMs: 250, outputTokens: 11 });
    });
    for await (const _ of stream);
    expect(await valueOf('sage_llm_call_duration_seconds_count', { ...model, outcome: 'ok' })).toBe(1);
    expect(await valueOf('sage_llm_first_token_seconds_sum', model)).toBe(0.25);
    expect(await valueOf('sage_llm_output_token_seconds_count', model)).toBe(1);
  });

  test('OM9: errors by provider', async () => {
    await expect(operate('llm.call', start, failing(errors.DOWN()))).rejects.toThrow();
    await expect(operate('llm.call', start, failing(new DOMException('late', 'TimeoutError')))).rejects.toThrow();
    expect(await valueOf('sage_llm_errors_total', { provider: 'openai', code: 'SAGE_METRICS_TEST_DOWN' })).toBe(1);
    expect(await valueOf('sage_llm_errors_total', { provider: 'openai', code: 'none', category: 'transient' })).toBe(1);
    expect(await valueOf('sage_llm_calls_total', { ...model, outcome: 'timeout' })).toBe(1);
  });

  test('OM10: known cost is summed exactly, and an unknown cost is counted as unknown, never as 0', async () => {
    for (let i = 0; i < 10; i++) {
      await operate('llm.call', start, async (operation) =>
        operation.set({ inputTokens: 1, costNanoUsd: 100_000_000n }),
      );
    }
    await operate('llm.call', { ...start, model: 'new' }, async (operation) => operation.set({ inputTokens: 1 }));
    const cut = begin('llm.call', { ...start, model: 'new' });
    cut.set({ firstTokenMs: 3 });
    cut.fail(new DOMException('gone', 'AbortError'));
    await expect(operate('llm.call', { ...start, model: 'new' }, failing(errors.DOWN()))).rejects.toThrow();

    expect(await valueOf('sage_llm_cost_usd_total', model)).toBe(1);
    expect(await valueOf('sage_llm_cost_usd_total', { model: 'new' })).toBeUndefined();
    expect(await valueOf('sage_llm_cost_unknown_total', { model: 'new' })).toBe(2);
    expect(await valueOf('sage_llm_cost_unknown_total', model)).toBeUndefined();
  });
});

describe('the cost of a request', () => {
  const request = { protocol: 'http', method: 'm', stream: false } as const;
  const start = { provider: 'openai', model: 'gpt-x', api: 'chat', stream: false } as const;
  const call = (costNanoUsd?: bigint) =>
    operate('llm.call', start, (operation) => {
      operation.set({ inputTokens: 1, ...(costNanoUsd !== undefined && { costNanoUsd }) });
    });
  const costs = async () => [
    await valueOf('sage_agent_request_cost_usd_count', { protocol: 'http' }),
    await valueOf('sage_agent_request_cost_usd_sum', { protocol: 'http' }),
  ];

  test('OM10: is that of all its model calls, and of requests at the same time each has its own', async () => {
    const of = (requestId: string, ...prices: readonly bigint[]) =>
      run({ requestId }, () =>
        operate('agent.request', request, async () => {
          for (const price of prices) {
            await Promise.resolve();
            call(price);
          }
        }),
      );
    await Promise.all([of('a', 1_000_000_000n, 2_000_000_000n), of('b', 4_000_000_000n)]);
    expect(await costs()).toEqual([2, 7]);
    expect(
      valueIn(await metrics.registry.metrics(), 'sage_agent_request_cost_usd_bucket', { protocol: 'http', le: '2.5' }),
    ).toBe(0);
  });

  test('OM10: is not told of requests that run under one id at once, and of one that comes alone after them it is', async () => {
    const of = (turns: number) =>
      run({ requestId: 'from the caller' }, () =>
        operate('agent.request', request, async () => {
          for (let turn = 0; turn < turns; turn++) await Promise.resolve();
          call(1_000_000_000n);
          for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        }),
      );
    await Promise.all([of(1), of(5), of(10)]);
    expect(await costs()).toEqual([undefined, undefined]);
    await of(1);
    expect(await costs()).toEqual([1, 1]);
  });

  test('OM10: is not told where one of its calls has an unknown price, and where no model was called', async () => {
    run({ requestId: 'a' }, () =>
      operate('agent.request', request, () => {
        call(1n);
        call();
      }),
    );
    run({ requestId: 'b' }, () => operate('agent.request', request, () => {}));
    operate('agent.request', request, () => call(1n));
    expect(await costs()).toEqual([undefined, undefined]);
  });
});

describe('everything else', () => {
  test('every operation and every event of the catalogue is counted', async () => {
    for (const name of Object.keys(catalogue.operations)) operate(name as 'tool.call', { tool: 't' }, () => {});
    for (const name of Object.keys(catalogue.events)) emit(name as 'config.changed', { keys: [] });
    const text = await metrics.registry.metrics();
    for (const operation of Object.keys(catalogue.operations)) {
      if (operation === 'agent.request' || operation === 'llm.call') continue;
      expect([operation, valueIn(text, 'sage_operation_duration_seconds_count', { operation, outcome: 'ok' })]).toEqual(
        [operation, 1],
      );
    }
    for (const event of Object.keys(catalogue.events)) {
      expect([event, valueIn(text, 'sage_events_total', { event })]).toEqual([event, 1]);
    }
    // An operation is no event.
    expect(text.match(/^sage_events_total\{/gm)).toHaveLength(Object.keys(catalogue.events).length);
    expect(observerFailures()).toBe(0);
  });

  test('operations of the user have duration and outcome, and none of their attributes', async () => {
    operate('billing.charge' as 'tool.call', { tool: 'secret' }, () => {});
    const text = await metrics.registry.metrics();
    expect(valueIn(text, 'sage_operation_duration_seconds_count', { operation: 'billing.charge', outcome: 'ok' })).toBe(
      1,
    );
    expect(text).not.toContain('secret');
  });

  test('OM19 OM20: each middleware has the time it took itself, before and after the rest', async () => {
    await compose(
      [{ name: 'validate', middleware: (input: string, next) => next(input) }],
      async (input) => input,
    )('x');
    for (const phase of ['before', 'after']) {
      expect(await valueOf('sage_middleware_duration_seconds_count', { middleware: 'validate', phase })).toBe(1);
    }
  });

  test('OM1: the state of the agent and the last verdict of each health check', async () => {
    emit('agent.state', { from: 'starting', to: 'ready' });
    operate('health.check', { check: 'redis', critical: true }, (operation) => operation.set({ status: 'warn' }));
    operate('health.check', { check: 'model', critical: true }, (operation) => operation.set({ status: 'fail' }));
    expect(await valueOf('sage_agent_state', { state: 'ready' })).toBe(1);
    expect(await valueOf('sage_agent_state', { state: 'starting' })).toBe(0);
    expect(await valueOf('sage_health_check_up', { check: 'redis' })).toBe(1);
    expect(await valueOf('sage_health_check_up', { check: 'model' })).toBe(0);
  });

  test('OM1: whether the agent is up and ready, read at scrape from what its probes answer', async () => {
    expect(await valueOf('sage_health_probe_up')).toBeUndefined();
    const state = { live: 1, startup: 1, ready: 0 };
    using _health = source('health.probes', () => state);
    expect(await valueOf('sage_health_probe_up', { probe: 'live' })).toBe(1);
    expect(await valueOf('sage_health_probe_up', { probe: 'ready' })).toBe(0);
    state.ready = 1;
    expect(await valueOf('sage_health_probe_up', { probe: 'ready' })).toBe(1);
  });

  test('sources are read at scrape; equal names are summed, broken ones and odd values left out', async () => {
    using _first = source('limiter.memory', () => ({ allowed: 2, denied: 1 }));
    using second = source('limiter.memory', () => ({ allowed: 3, odd: Number.NaN }));
    using _broken = source('broken', () => {
      throw new Error('no');
    });
    expect(await valueOf('sage_source', { source: 'limiter.memory', name: 'allowed' })).toBe(5);
    expect(await valueOf('sage_source', { name: 'odd' })).toBeUndefined();
    second[Symbol.dispose]();
    expect(await valueOf('sage_source', { source: 'limiter.memory', name: 'allowed' })).toBe(2);
  });

  test('says what is running', async () => {
    expect(await valueOf('sage_build_info', { agent: 'a', version: '1.2.3', node: process.version })).toBe(1);
  });

  test('after the close nothing is counted, and what began before it does no harm', async () => {
    const request = begin('agent.request', { protocol: 'http', method: 'm', stream: false });
    await metrics.close();
    request.end();
    operate('tool.call', { tool: 't' }, () => {});
    expect(await metrics.registry.metrics()).toBe('\n');
    expect(observerFailures()).toBe(0);
  });
});
