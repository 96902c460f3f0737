/**
 * Tracing beside SDK 3 and API 1.10, as an installation with them has it. In this workspace the package is linked to the API of the default line, so the
 * `test` script maps the name to this folder's.
 */
import { describe, expect, test } from '@jest/globals';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { emit, extract, inject, operate, operateStream, run } from '@sage-adk/core';
import { observeTracing } from '@sage-adk/tracing';
import { createTailSampling } from '@sage-adk/tracing/tail';
import { startOtlpReceiver } from '@tooling/otlp-receiver';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const caller = '00f067aa0ba902b7';
const request = { protocol: 'a2a', method: 'SendMessage', stream: true } as const;
const call = { provider: 'openai', model: 'm-1', api: 'chat', stream: true } as const;
const registry = Symbol.for('opentelemetry.js.api.1');
const resource = resourceFromAttributes({ 'service.name': 'weather' });

function exportTo(url: string): BatchSpanProcessor {
  return new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${url}/v1/traces` }) });
}

describe('with SDK 3', () => {
  test('OT1 OT2: spans of calls, streams and events reach a collector through its exporter, in the trace that came', async () => {
    await using receiver = await startOtlpReceiver();
    const provider = new TracerProvider({ resource, spanProcessors: [exportTo(receiver.url)] });
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(provider);
    using _subscription = observeTracing();
    expect((globalThis as { [registry]?: { version: string } })[registry]?.version).toMatch(/^1\.10\./);
    let sent: Record<string, string> = {};
    await run(extract({ traceparent: `00-${traceId}-${caller}-01` }), () =>
      operate('agent.request', request, async () => {
        const chunks = operateStream('llm.call', call, async function* (operation) {
          yield 1;
          operate('retry.attempt', { dependency: 'openai', attempt: 1 }, () => 1);
          sent = inject({});
          operation.set({ inputTokens: 12, finishReason: 'stop' });
        });
        for await (const _ of chunks) emit('security.violation', { kind: 'signature', reason: 'mismatch' });
        trace.getTracer('user').startActiveSpan('of a user', (span) => {
          operate('storage.get', { store: 'redis', namespace: 'sessions' }, () => 1);
          span.end();
        });
      }),
    );
    await provider.shutdown();
    for (const api of [trace, context, propagation]) api.disable();
    const named = (name: string) => receiver.spans.find((span) => span.name === name);
    const root = named('SendMessage');
    expect(root).toMatchObject({ service: 'weather', traceId, parentSpanId: caller, kind: 2 });
    expect(root?.events).toMatchObject([{ name: 'security.violation' }]);
    const model = named('chat m-1');
    expect(model).toMatchObject({ traceId, parentSpanId: root?.spanId, kind: 3 });
    expect(model?.attributes).toMatchObject({ 'gen_ai.usage.input_tokens': 12 });
    expect(model?.events).toMatchObject([{ name: 'retry.attempt' }]);
    expect(sent).toMatchObject({ traceparent: `00-${traceId}-${model?.spanId}-01` });
    expect(named('get sessions')).toMatchObject({ parentSpanId: named('of a user')?.spanId });
    expect(named('of a user')).toMatchObject({ parentSpanId: root?.spanId });
  });

  test('OT1: tail sampling keeps what fails and drops the rest', async () => {
    await using receiver = await startOtlpReceiver();
    const tail = createTailSampling({ next: exportTo(receiver.url), samplingRate: 0 });
    const provider = new TracerProvider({
      resource,
      sampler: tail.sampler,
      spanProcessors: [tail.processor],
    });
    using _subscription = observeTracing({ tracer: provider.getTracer('test') });
    operate('agent.request', { ...request, method: 'Fine' }, () => 1);
    operate('agent.request', request, () =>
      operate('llm.call', call, (operation) => operation.settle('error', new Error('refused'))),
    );
    await provider.shutdown();
    expect(receiver.spans).toMatchObject([
      { name: 'chat m-1', statusCode: 2, attributes: { 'sage.sampling.reason': 'error' } },
      { name: 'SendMessage', service: 'weather' },
    ]);
    expect(tail.counts()).toMatchObject({ keptError: 1, droppedSampling: 1 });
  });
});
