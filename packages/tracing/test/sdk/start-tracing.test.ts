import { setImmediate } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import { context, propagation, trace } from '@opentelemetry/api';
import { emit, extract, isSageError, operate, run, sources } from '@sage-adk/core';
import { startTracing, type StartTracingOptions } from '../../src/sdk/index.ts';
import { startOtlpReceiver } from '@tooling/otlp-receiver';
import { call, entry, request } from '../support/recording.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

describe('startTracing', () => {
  test('OT1: spans reach an OTLP collector, with their parents, attributes, events and times', async () => {
    await using receiver = await startOtlpReceiver();
    const tracing = startTracing({ serviceName: 'weather', endpoint: receiver.url, headers: { 'x-key': 'k' } });
    const startedMs = Date.now();
    await run({ ...extract({ traceparent: `00-${traceId}-${spanId}-01` }), agentId: 'a-1' }, () =>
      operate('agent.request', request, async () => {
        await operate('llm.call', call, async (operation) => {
          operate('retry.attempt', { dependency: 'openai', attempt: 1 }, () => 1);
          await setImmediate();
          operation.set({ inputTokens: 12, firstTokenMs: 250, finishReason: 'stop' });
        });
        await operate('storage.get', entry('sessions'), () => Promise.reject(new Error('refused'))).catch(() => {});
      }),
    );
    await tracing.shutdown();

    expect(receiver.requests).toMatchObject([
      { path: '/v1/traces', headers: { 'content-type': 'application/x-protobuf', 'x-key': 'k' } },
    ]);
    const [model, storage, root] = receiver.spans;
    expect(root).toMatchObject({
      name: 'SendMessage',
      service: 'weather',
      traceId,
      parentSpanId: spanId,
      kind: 2,
      statusCode: 0,
    });
    expect(model).toMatchObject({ name: 'chat m-1', traceId, parentSpanId: root?.spanId, kind: 3 });
    expect(model?.attributes).toMatchObject({
      'gen_ai.agent.id': 'a-1',
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.response.time_to_first_chunk': 0.25,
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.request.stream': false,
    });
    expect(model?.events).toMatchObject([{ name: 'retry.attempt', attributes: { 'sage.retry.attempt': 1 } }]);
    expect(storage).toMatchObject({ name: 'get sessions', parentSpanId: root?.spanId, statusCode: 2 });
    expect(storage?.events).toMatchObject([{ name: 'exception', attributes: { 'exception.message': 'refused' } }]);
    expect(Number((root?.startNs ?? 0n) / 1_000_000n)).toBeGreaterThan(startedMs - 1_000);
    expect((root?.endNs ?? 0n) - (model?.endNs ?? 0n)).toBeGreaterThanOrEqual(0n);
    expect(tracing.counts).toEqual({ exported: 3, failed: 0, droppedQueue: 0, droppedClosed: 0, pending: 0 });
  });

  test('a secret appears on no span, and neither does the key of a storage operation', async () => {
    await using receiver = await startOtlpReceiver();
    const secret = 'sk-live-123456';
    const tracing = startTracing({ serviceName: 'weather', endpoint: receiver.url, secrets: [secret, 'sk-live'] });
    const fail = () => Promise.reject(new Error(`Incorrect API key: ${secret}`, { cause: new Error(secret) }));
    await operate('agent.request', { ...request, method: `Send ${secret}` }, async () => {
      emit('error.critical', { source: 'llm', reason: 'auth', message: `refused ${secret}` });
      operate('storage.get', entry('sessions'), (operation) => operation.set({ key: 'ada/c-1', hit: true }));
      await operate('llm.call', { ...call, model: secret }, fail);
    }).catch(() => {});
    await tracing.shutdown();
    const text = JSON.stringify(receiver.spans, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}` : value,
    );
    expect(text).not.toContain('sk-live');
    expect(text).toContain('Incorrect API key: [redacted]');
    expect(text).toContain('refused [redacted]');
    expect(text).not.toContain('ada/c-1');
    expect(() => startTracing({ serviceName: 'weather', secrets: ['abc'] })).toThrow('secrets');
  });

  test('a secret is hidden in names of attributes, in texts of JSON, and where a long text was cut', async () => {
    await using receiver = await startOtlpReceiver();
    const secret = 'sk-live-\n"1234567890abcdef"';
    const tracing = startTracing({ serviceName: 'weather', endpoint: receiver.url, secrets: [secret] });
    const cut = 'x'.repeat(1_024 - 20) + secret;
    operate(
      'billing.charge' as 'storage.get',
      { [secret]: 1, cut, body: JSON.stringify({ secret }) } as never,
      () => 1,
    );
    await tracing.shutdown();
    expect(receiver.spans[0]?.attributes).toMatchObject({
      'billing.[redacted]': 1,
      'billing.cut': expect.stringMatching(/^x+\[redacted\]$/),
      'billing.body': '{"secret":"[redacted]"}',
    });
  });

  test.each([['1234'], [undefined]])('an error about a secret such as %j does not tell it', (secret) => {
    expect(() => startTracing({ serviceName: 'weather', secrets: [secret as string] })).toThrow(
      'The option secrets is "[redacted]"; it must be texts of at least 6 characters.',
    );
  });

  test("two requests at a time are two traces that don't mix", async () => {
    await using receiver = await startOtlpReceiver();
    const tracing = startTracing({ serviceName: 'weather', endpoint: receiver.url });
    const handle = (n: number) =>
      operate('agent.request', { ...request, method: `Request${n}` }, async () => {
        await setImmediate();
        await operate('llm.call', { ...call, model: `model-${n}` }, () => setImmediate());
      });
    await Promise.all([handle(1), handle(2)]);
    await tracing.flush();
    for (const n of [1, 2]) {
      const root = receiver.spans.find(({ name }) => name === `Request${n}`);
      const child = receiver.spans.find(({ name }) => name === `chat model-${n}`);
      expect(child).toMatchObject({ traceId: root?.traceId, parentSpanId: root?.spanId });
    }
    expect(new Set(receiver.spans.map((span) => span.traceId)).size).toBe(2);
    await tracing.close();
  });

  test('OT1: with a sampling rate of 0 only the requests of callers that sample are sent', async () => {
    await using receiver = await startOtlpReceiver();
    await using tracing = startTracing({ serviceName: 'weather', endpoint: receiver.url, samplingRate: 0 });
    operate('agent.request', { ...request, method: 'Ours' }, () => 1);
    run(extract({ traceparent: `00-${traceId}-${spanId}-01` }), () => operate('agent.request', request, () => 1));
    await tracing.flush();
    expect(receiver.spans.map(({ name }) => name)).toEqual(['SendMessage']);
  });

  test('a collector that refuses or is not there: spans are counted as failed, told once, and nothing throws', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    await using receiver = await startOtlpReceiver(400);
    const tracing = startTracing({ serviceName: 'weather', endpoint: `${receiver.url}/traces?key=secret` });
    for (let n = 0; n < 2; n++) {
      operate('agent.request', request, () => 1);
      await tracing.flush();
    }
    expect(
      sources()
        .find(({ name }) => name === 'tracing')
        ?.read(),
    ).toMatchObject({ exported: 0, failed: 2, pending: 0 });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).toContain(`${receiver.url}/traces:`);
    expect(receiver.requests[0]?.path).toBe('/traces?key=secret');
    await tracing.shutdown();
    expect(sources().some(({ name }) => name === 'tracing')).toBe(false);
    warn.mockRestore();
  });

  test('shutdown waits no longer than its timeout for a collector that is gone', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const receiver = await startOtlpReceiver();
    await receiver[Symbol.asyncDispose]();
    const tracing = startTracing({ serviceName: 'weather', endpoint: receiver.url, timeoutMs: 50 });
    operate('agent.request', request, () => 1);
    const startedMs = performance.now();
    await tracing.shutdown();
    expect(performance.now() - startedMs).toBeLessThan(8_000);
    warn.mockRestore();
  });

  test('OT1: what fails is sent beyond the share, with tail sampling', async () => {
    await using receiver = await startOtlpReceiver();
    const tracing = startTracing({ serviceName: 'weather', endpoint: receiver.url, samplingRate: 0, tail: {} });
    operate('agent.request', { ...request, method: 'Fine' }, () => 1);
    operate('agent.request', request, (operation) => operation.settle('error', new Error('refused')));
    expect(sources().map(({ name }) => name)).toEqual(expect.arrayContaining(['tracing', 'tracing.tail']));
    await tracing.shutdown();
    expect(receiver.spans).toMatchObject([
      { name: 'SendMessage', attributes: { 'sage.sampling.reason': 'error', 'error.type': 'unknown' } },
    ]);
    expect(tracing.counts).toMatchObject({ exported: 1, pending: 0 });
    expect(tracing.tailCounts).toMatchObject({ keptError: 1, droppedSampling: 1 });
  });

  test('every sampled span is counted: as sent, as failed, or as dropped for want of room or after the end', async () => {
    await using receiver = await startOtlpReceiver();
    const tracing = startTracing({ serviceName: 'weather', endpoint: receiver.url, queueSpans: 10 });
    const late = tracing.tracer.startSpan('late');
    for (let n = 0; n < 25; n++) operate('agent.request', request, () => 1);
    expect(tracing.counts).toMatchObject({ droppedQueue: 15, pending: 10 });
    await tracing.flush();
    operate('agent.request', request, () => 1);
    await tracing.shutdown();
    late.end();
    expect(receiver.spans).toHaveLength(11);
    expect(tracing.counts).toEqual({ exported: 11, failed: 0, droppedQueue: 15, droppedClosed: 1, pending: 0 });
  });

  test('leaves the globals of OpenTelemetry alone, unless it is asked to register, and takes that back', async () => {
    await using receiver = await startOtlpReceiver();
    const quiet = startTracing({ serviceName: 'weather', endpoint: receiver.url });
    expect(trace.getTracer('library').startSpan('x').isRecording()).toBe(false);
    await quiet.shutdown();

    const tracing = startTracing({ serviceName: 'weather', endpoint: receiver.url, register: true });
    await operate('agent.request', request, async () => {
      await setImmediate();
      trace.getTracer('library').startActiveSpan('of a library', (span) => {
        const carrier: Record<string, string> = {};
        propagation.inject(context.active(), carrier);
        expect(carrier['traceparent']).toContain(span.spanContext().spanId);
        const remote = trace.getSpanContext(propagation.extract(context.active(), carrier));
        expect(remote).toMatchObject({ spanId: span.spanContext().spanId, isRemote: true });
        const bound = context.bind(context.active(), () => trace.getActiveSpan());
        span.end();
        expect(context.with(trace.deleteSpan(context.active()), bound)).toBe(span);
      });
    });
    await tracing.shutdown();
    const [library, root] = receiver.spans.slice(-2);
    expect(library).toMatchObject({ name: 'of a library', parentSpanId: root?.spanId });
    expect(trace.getTracer('library').startSpan('x').isRecording()).toBe(false);
  });

  test.each<[string, Partial<StartTracingOptions>]>([
    ['serviceName', { serviceName: '' }],
    ['endpoint', { endpoint: 'localhost:4318' }],
    ['endpoint', { endpoint: 'not a url' }],
    ['samplingRate', { samplingRate: 2 }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['queueSpans', { queueSpans: 0 }],
    ['slowMs', { tail: { slowMs: -1 } }],
    ['batchDelayMs', { batchDelayMs: 1.5 }],
  ])('refuses a bad %s at once, naming it', (option, options) => {
    try {
      startTracing({ serviceName: 'weather', ...options });
      throw new Error('not refused');
    } catch (error) {
      expect(isSageError(error, 'SAGE_CORE_INVALID_OPTION')).toBe(true);
      expect(String(error)).toContain(option);
    }
  });
});
