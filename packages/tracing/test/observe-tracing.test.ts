import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { SpanKind, SpanStatusCode, type TracerProvider, trace as api } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import {
  begin,
  compose,
  defineErrors,
  emit,
  endOpen,
  inject,
  observerFailures,
  operate,
  operateStream,
  run,
  trace,
} from '@sage-adk/core';
import { catalogue } from '@sage-adk/core/catalogue';
import { observeTracing } from '../src/index.ts';
import { call, entry, record, request } from './support/recording.ts';

const failures = defineErrors('TRACINGTEST', {
  QUOTA: { category: 'transient', outcome: 'denied', status: 429, message: 'quota' },
  DOWN: { category: 'transient', status: 503, message: 'down' },
});

let nowMs = performance.now();

/** From here on time only passes where a test says so. */
function stopTime(): void {
  nowMs = performance.now();
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('spans', () => {
  test('OC6: each operation of the catalogue becomes what the catalogue says', () => {
    stopTime();
    for (const [name, { trace: kind, spanFromMs }] of Object.entries(catalogue.operations)) {
      using recording = record();
      operate('agent.request', request, () => operate(name as 'storage.get', entry('n'), () => 1));
      const outer = recording.spans().at(-1);
      const becameSpan = recording.spans().length === 2;
      const becameEvent = outer?.events.some((event) => event.name === name);
      const expected = spanFromMs === undefined ? kind : 'event';
      expect([name, becameSpan ? 'span' : becameEvent ? 'event' : 'none']).toEqual([name, expected]);
    }
  });

  test('OT3, OT8: a request is a server span with agent, message, session, user and protocol', () => {
    using recording = record();
    const context = {
      agentId: 'a-1',
      messageId: 'm-1',
      sessionId: 's-1',
      userId: 'u-1',
      tenant: 't-1',
      requestId: 'r-1',
      protocol: 'sage',
    } as const;
    run(context, () => operate('agent.request', request, (operation) => operation.set({ status: 200 })));
    const { kind, attributes } = recording.span('SendMessage');
    expect(kind).toBe(SpanKind.SERVER);
    expect(attributes).toEqual({
      'a2a.method.name': 'SendMessage',
      'gen_ai.agent.id': 'a-1',
      'gen_ai.conversation.id': 's-1',
      'http.response.status_code': 200,
      'sage.agent.method': 'SendMessage',
      'sage.agent.stream': false,
      'sage.message.id': 'm-1',
      'sage.protocol': 'a2a',
      'sage.request.id': 'r-1',
      'sage.tenant': 't-1',
      'user.id': 'u-1',
    });
  });

  test('OT4, OT8: a call of a model is a client span by the conventions for generative AI', () => {
    using recording = record();
    operate('llm.call', { provider: 'google', model: 'gemini-x', api: 'generateContent', stream: true }, (operation) =>
      operation.set({
        responseModel: 'gemini-x-001',
        finishReason: 'stop',
        inputTokens: 12,
        outputTokens: 7,
        cachedInputTokens: 5,
        cacheWriteTokens: 4,
        reasoningTokens: 3,
        firstTokenMs: 250,
        costNanoUsd: 1_234n,
        attempts: 2,
      }),
    );
    const { kind, attributes } = recording.span('chat gemini-x');
    expect(kind).toBe(SpanKind.CLIENT);
    expect(attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'gcp.gemini',
      'gen_ai.request.model': 'gemini-x',
      'gen_ai.request.stream': true,
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.response.model': 'gemini-x-001',
      'gen_ai.response.time_to_first_chunk': 0.25,
      'gen_ai.usage.cache_read.input_tokens': 5,
      'gen_ai.usage.cache_write.input_tokens': 4,
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 7,
      'gen_ai.usage.reasoning.output_tokens': 3,
      'sage.llm.api': 'generateContent',
      'sage.llm.attempts': 2,
      'sage.llm.cost_nano_usd': 1_234,
    });
  });

  test('OT5: a storage operation is a client span with its system and collection', () => {
    using recording = record();
    operate('storage.get', { store: 'postgres', namespace: 'sessions' }, (operation) => operation.set({ hit: false }));
    const { kind, attributes } = recording.span('get sessions');
    expect(kind).toBe(SpanKind.CLIENT);
    expect(attributes).toEqual({
      'db.collection.name': 'sessions',
      'db.operation.name': 'get',
      'db.system.name': 'postgresql',
      'sage.storage.hit': false,
    });
  });

  test('OT6: handshake, signing, verifying, DID resolution, A2A and MCP are spans', () => {
    using recording = record();
    operate('protocol.handshake', { protocol: 'sage', role: 'initiator' }, () => 1);
    operate('protocol.sign', { algorithm: 'ed25519' }, () => 1);
    operate('protocol.verify', { algorithm: 'ed25519' }, () => 1);
    operate('did.resolve', { method: 'web' }, () => 1);
    operate('a2a.send', { method: 'GetTask', stream: false }, (operation) =>
      operation.set({ taskId: 't', taskState: 'TASK_STATE_WORKING' }),
    );
    operate('mcp.call', { method: 'tools/call', role: 'server' }, (operation) =>
      operation.set({ tool: 'weather', errorCode: -32_602 }),
    );
    operate('tool.call', { tool: 'weather' }, () => 1);
    expect(recording.spans().map(({ name, kind }) => [name, SpanKind[kind]])).toEqual([
      ['protocol.handshake', 'INTERNAL'],
      ['protocol.sign', 'INTERNAL'],
      ['protocol.verify', 'INTERNAL'],
      ['did.resolve', 'CLIENT'],
      ['GetTask', 'CLIENT'],
      ['tools/call weather', 'SERVER'],
      ['execute_tool weather', 'INTERNAL'],
    ]);
    expect(recording.span('GetTask').attributes).toMatchObject({ 'a2a.method.name': 'GetTask', 'a2a.task.id': 't' });
    expect(recording.span('tools/call weather').attributes).toMatchObject({ 'rpc.response.status_code': '-32602' });
  });

  test('an operation of your own is a span with its attributes under its own word', () => {
    using recording = record();
    operate(
      'billing.charge' as 'storage.get',
      { plan: 'pro', lineItems: 3, customer: { name: 'hidden' } } as never,
      () => 1,
    );
    expect(recording.span('billing.charge').attributes).toEqual({ 'billing.plan': 'pro', 'billing.line_items': 3 });
  });

  test("start and duration are the operation's own", () => {
    using recording = record();
    const beforeMs = Date.now();
    operate('storage.get', entry('n'), () => {
      const untilMs = performance.now() + 3;
      while (performance.now() < untilMs);
    });
    const { startTime, endTime } = recording.span('get n');
    const startMs = startTime[0] * 1_000 + startTime[1] / 1_000_000;
    expect(startMs).toBeGreaterThan(beforeMs - 101);
    expect(endTime[0] * 1_000 + endTime[1] / 1_000_000 - startMs).toBeGreaterThanOrEqual(3);
  });
});

describe('failures', () => {
  test('OT8: an error is the status, its declared code the type, and its exception is recorded where it happened', async () => {
    using recording = record();
    const failing = operate('agent.request', request, () =>
      operate('llm.call', call, () => Promise.reject(failures.DOWN())),
    );
    await expect(failing).rejects.toThrow('down');
    for (const name of ['SendMessage', 'chat m-1']) {
      expect(recording.span(name).status).toEqual({ code: SpanStatusCode.ERROR, message: 'down' });
      expect(recording.span(name).attributes).toMatchObject({
        'error.type': 'SAGE_TRACINGTEST_DOWN',
        'sage.outcome': 'error',
      });
    }
    const [event] = recording.span('chat m-1').events;
    expect(event?.name).toBe('exception');
    expect(event?.attributes).toMatchObject({
      'exception.message': 'down',
      'exception.stacktrace': expect.stringContaining('observe-tracing.test'),
    });
    expect(recording.span('SendMessage').events).toHaveLength(0);
  });

  test.each([
    ['an error of a class of its own', 'error', Object.assign(new Error('x'), { name: 'ParseError' }), 'ParseError'],
    ['a timeout', 'timeout', Object.assign(new Error('x'), { name: 'TimeoutError' }), 'timeout'],
    ['a plain error', 'error', new Error('x'), 'unknown'],
    ['what is no error', 'error', 'text', 'unknown'],
  ] as const)('the type of %s has few values', (_name, outcome, error, type) => {
    using recording = record();
    operate('storage.get', entry('n'), (operation) => operation.settle(outcome, error));
    expect(recording.span('get n').attributes['error.type']).toBe(type);
  });

  test('what was denied or cancelled is no error', () => {
    using recording = record();
    operate('storage.get', entry('denied'), (operation) => operation.settle('denied', failures.QUOTA()));
    operate('storage.get', entry('cancelled'), (operation) => operation.settle('cancelled'));
    for (const outcome of ['denied', 'cancelled']) {
      const { status, attributes } = recording.span(`get ${outcome}`);
      expect(status.code).toBe(SpanStatusCode.UNSET);
      expect(attributes['sage.outcome']).toBe(outcome);
    }
  });

  test('no span stays open: aborted reads, dropped handles and drained requests end theirs', async () => {
    using recording = record();
    const chunks = operateStream('llm.call', call, async function* () {
      yield 1;
      yield 2;
    });
    for await (const _ of chunks) break;
    begin('agent.request', request);
    endOpen();
    expect(recording.spans().map(({ name, attributes }) => [name, attributes['sage.outcome']])).toEqual([
      ['chat m-1', 'cancelled'],
      ['SendMessage', 'cancelled'],
    ]);
  });
});

describe('span events', () => {
  test('a try, a look-up and a wait are events on the span around them', () => {
    using recording = record();
    operate('llm.call', call, () => {
      operate('retry.attempt', { dependency: 'openai', attempt: 1 }, (operation) =>
        operation.settle('error', failures.DOWN()),
      );
      operate('retry.attempt', { dependency: 'openai', attempt: 2 }, (operation) => operation.set({ reason: 'ok' }));
    });
    const { events } = recording.span('chat m-1');
    expect(events.map(({ name }) => name)).toEqual(['retry.attempt', 'retry.attempt']);
    expect(events[0]?.attributes).toMatchObject({
      'sage.retry.dependency': 'openai',
      'sage.retry.attempt': 1,
      'sage.outcome': 'error',
      'error.type': 'SAGE_TRACINGTEST_DOWN',
    });
    expect(events[1]?.attributes).toMatchObject({ 'sage.retry.attempt': 2, 'sage.retry.reason': 'ok' });
  });

  test('events of the process are told by the span they happen in, and by none outside', () => {
    using recording = record();
    const changed = { dependency: 'openai', from: 'closed', to: 'open', reason: 'failures' };
    emit('breaker.changed', changed);
    operate('llm.call', call, () => emit('breaker.changed', changed));
    expect(recording.span('chat m-1').events).toMatchObject([
      { name: 'breaker.changed', attributes: { 'sage.breaker.dependency': 'openai', 'sage.breaker.to': 'open' } },
    ]);
  });
});

describe('steps that are usually short', () => {
  beforeEach(stopTime);
  const step = (name: string, work: () => void) => operate('agent.middleware', { middleware: name }, work);

  test('OT7: below a millisecond a middleware is an event, above it a span', () => {
    using recording = record();
    operate('agent.request', request, () => {
      step('quick', () => {});
      step('slow', () => void (nowMs += 1.5));
    });
    expect(recording.paths()).toEqual(['SendMessage', 'SendMessage > middleware slow']);
    expect(recording.span('SendMessage').events).toMatchObject([
      { name: 'agent.middleware', attributes: { 'sage.middleware': 'quick' } },
    ]);
  });

  test('one that holds spans is a span however short, and nests them', async () => {
    using recording = record();
    const named = (name: string) => ({
      name,
      middleware: (input: number, next: (input: number) => Promise<number>) => next(input),
    });
    const handle = compose([named('outer'), named('inner')], (input: number) =>
      operate('llm.call', call, () => {
        emit('fallback.used', { chain: 'c', from: 'a', to: 'b', reason: 'r' });
        return Promise.resolve(input);
      }),
    );
    await operate('agent.request', request, () => handle(1));
    expect(recording.paths()).toEqual([
      'SendMessage',
      'SendMessage > middleware outer',
      'SendMessage > middleware outer > middleware inner',
      'SendMessage > middleware outer > middleware inner > chat m-1',
    ]);
  });

  test('events within one go to the nearest span there is', () => {
    using recording = record();
    operate('agent.request', request, () => {
      step('short', () => {
        emit('config.changed', { keys: ['a', 'b'] });
        operate('queue.wait', { queue: 'q' }, () => 1);
      });
      step('long', () => {
        operate('storage.get', entry('n'), () => 1);
        operate('queue.wait', { queue: 'q' }, () => 1);
      });
    });
    expect(recording.span('SendMessage').events.map(({ name }) => name)).toEqual([
      'config.changed',
      'queue.wait',
      'agent.middleware',
    ]);
    expect(recording.span('middleware long').events.map(({ name }) => name)).toEqual(['queue.wait']);
  });

  test('what it left running nests in the span around it', async () => {
    using recording = record();
    let left: Promise<unknown> | undefined;
    await operate('agent.request', request, async () => {
      step('short', () => {
        left = Promise.resolve().then(() => operate('storage.get', entry('left'), () => 1));
      });
      await left;
    });
    expect(recording.paths()).toEqual(['SendMessage', 'SendMessage > get left']);
  });

  test('without a span around it, it is a span', () => {
    using recording = record();
    step('alone', () => {});
    expect(recording.paths()).toEqual(['middleware alone']);
  });
});

describe('sampling', () => {
  test('below a request that was sampled out nothing is asked of the SDK, and its ids are still known', () => {
    const shouldSample = jest.fn<Sampler['shouldSample']>(() => ({ decision: SamplingDecision.NOT_RECORD }));
    using recording = record('a provider of its own', { shouldSample, toString: () => 'off' });
    operate('agent.request', request, () => {
      expect(trace()).toMatchObject({ sampled: false, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
      operate('llm.call', call, () =>
        operate('agent.middleware', { middleware: 'm' }, () =>
          expect(inject({})).toHaveProperty('traceparent', expect.stringMatching(/-00$/)),
        ),
      );
    });
    expect(shouldSample).toHaveBeenCalledTimes(1);
    expect(recording.spans()).toHaveLength(0);
  });

  test('a span that is recorded but not sampled has its children recorded too', () => {
    const sampler: Sampler = { shouldSample: () => ({ decision: SamplingDecision.RECORD }), toString: () => 'record' };
    const shouldSample = jest.spyOn(sampler, 'shouldSample');
    using _recording = record('a provider of its own', sampler);
    operate('agent.request', request, () => operate('llm.call', call, () => 1));
    expect(shouldSample).toHaveBeenCalledTimes(2);
  });

  test('OT1: a share of requests is recorded, each with all its spans or none', () => {
    using recording = record(
      'a provider of its own',
      new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.2) }),
    );
    for (let n = 0; n < 500; n++) operate('agent.request', request, () => operate('llm.call', call, () => 1));
    const requests = recording.spans().filter(({ name }) => name === 'SendMessage').length;
    expect(recording.spans()).toHaveLength(2 * requests);
    expect(requests).toBeGreaterThan(50);
    expect(requests).toBeLessThan(160);
  });
});

describe('the trace', () => {
  test('is known inside of an operation, and by its record afterwards', () => {
    using recording = record();
    let inside: string | undefined;
    operate('llm.call', call, () => {
      inside = trace()?.spanId;
    });
    expect(inside).toBe(recording.span('chat m-1').spanContext().spanId);
    expect(trace()).toBeUndefined();
  });

  test('an SDK that is missing changes nothing', async () => {
    const failuresBefore = observerFailures();
    using _subscription = observeTracing();
    const answer = await operate('agent.request', request, () => operate('llm.call', call, () => Promise.resolve(42)));
    expect(answer).toBe(42);
    expect(trace()).toBeUndefined();
    expect(inject({})).toEqual({});
    expect(observerFailures()).toBe(failuresBefore);
  });

  test('an SDK that throws changes nothing but a count', () => {
    const broken = {
      getTracer: () => ({
        startSpan: () => {
          throw new Error('broken');
        },
      }),
    } as unknown as TracerProvider;
    const failuresBefore = observerFailures();
    using _subscription = observeTracing({ tracer: broken.getTracer('x') });
    expect(operate('llm.call', call, () => 42)).toBe(42);
    expect(observerFailures()).toBeGreaterThan(failuresBefore);
  });

  test("is nobody's after the subscription ends", () => {
    const recording = record();
    recording[Symbol.dispose]();
    operate('llm.call', call, () => 1);
    expect(recording.spans()).toHaveLength(0);
    expect(api.getActiveSpan()).toBeUndefined();
  });

  test('a sampler that says no to all still lets the request through', () => {
    using recording = record('a registered SDK', new AlwaysOffSampler());
    expect(operate('agent.request', request, () => operate('llm.call', call, () => 42))).toBe(42);
    expect(recording.spans()).toHaveLength(0);
  });
});
