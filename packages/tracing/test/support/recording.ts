import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { context, propagation, trace, type Tracer } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { observeTracing } from '../../src/index.ts';

/** Who manages the active span: the user's registered SDK, or nobody, so that tracing brings its own. */
export type SetUp = 'a registered SDK' | 'a provider of its own';

export interface Recording extends Disposable {
  readonly tracer: Tracer;
  /** The spans that ended, in the order of their ends. */
  spans(): readonly ReadableSpan[];
  span(name: string): ReadableSpan;
  /** Each span as the names from its root to it. */
  paths(): readonly string[];
}

/** Observes operations with an SDK that keeps its spans in memory. */
export function record(setUp: SetUp = 'a provider of its own', sampler?: Sampler): Recording {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    ...(sampler !== undefined && { sampler }),
  });
  const isRegistered = setUp === 'a registered SDK';
  if (isRegistered) {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(provider);
  }
  const subscription = isRegistered ? observeTracing() : observeTracing({ tracer: provider.getTracer('test') });
  const spans = (): ReadableSpan[] => exporter.getFinishedSpans();
  return {
    tracer: provider.getTracer('user'),
    spans,
    span(name) {
      const found = spans().find((span) => span.name === name);
      if (found === undefined)
        throw new Error(
          `there is no span ${name}, but ${spans()
            .map((span) => span.name)
            .join(', ')}`,
        );
      return found;
    },
    paths: () =>
      spans()
        .map((span) => pathOf(span, spans()))
        .sort((a, b) => a.localeCompare(b)),
    [Symbol.dispose]() {
      subscription[Symbol.dispose]();
      for (const api of [trace, context, propagation]) api.disable();
    },
  };
}

function pathOf(span: ReadableSpan, spans: readonly ReadableSpan[]): string {
  const parentId = span.parentSpanContext?.spanId;
  const parent = spans.find((candidate) => candidate.spanContext().spanId === parentId);
  if (parentId !== undefined && parent === undefined) return `? > ${span.name}`;
  return parent === undefined ? span.name : `${pathOf(parent, spans)} > ${span.name}`;
}

export const request = { protocol: 'a2a', method: 'SendMessage', stream: false } as const;
export const call = { provider: 'openai', model: 'm-1', api: 'chat', stream: false } as const;

export function entry(namespace: string): { readonly store: string; readonly namespace: string } {
  return { store: 'redis', namespace };
}
