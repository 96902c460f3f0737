/** Traces: each operation is a span, nested as the calls are. Spans are printed here; `startTracing` of `@sage-adk/tracing/sdk` sends them to a collector. */
import { BasicTracerProvider, ConsoleSpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { inject, operate, run } from '@sage-adk/core';
import { observeTracing } from '@sage-adk/tracing';

const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())] });
const subscription = observeTracing({ tracer: provider.getTracer('example') });

await run({ requestId: 'request-1', agentId: 'weather' }, () =>
  operate('agent.request', { protocol: 'http', method: 'messages', stream: false }, async () => {
    const call = { provider: 'example', model: 'small', api: 'chat', stream: false };
    await operate('llm.call', call, async (operation) => operation.set({ inputTokens: 12, outputTokens: 34 }));
    console.log('what the next agent gets:', inject({}));
  }),
);

subscription[Symbol.dispose]();
await provider.shutdown();
