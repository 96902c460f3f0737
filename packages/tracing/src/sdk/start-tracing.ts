/**
 * A whole tracing set-up on the official SDK: sampled by trace, sent in batches as OTLP over HTTP with protobuf.
 */
import type { Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { observe, requireNumber, requireOption, requireWhole, source, type Subscription } from '@sage-adk/core';
import { findActiveContext } from '../context/active-context.ts';
import { createTracingObserver } from '../observe-tracing.ts';
import { createRootSampler, type RootSampler } from '../spans/left-out.ts';
import {
  createTailSampling,
  type TailCounts,
  type TailSampling,
  type TailSamplingOptions,
} from '../tail/tail-sampling.ts';
import { countExports } from './counted-exporter.ts';
import { type CountedQueue, countQueue, type SpanCounts } from './counted-queue.ts';
import { tracesUrl } from './endpoint.ts';
import { hideSecrets } from './hidden-secrets.ts';
import { registerGlobals } from './register.ts';

export interface StartTracingOptions {
  /** Name of the service that the spans belong to. */
  readonly serviceName: string;
  /** The OTLP collector; `/v1/traces` is added where there is no path. @default 'http://127.0.0.1:4318' */
  readonly endpoint?: string;
  /** Share of new traces that is recorded, from 0 to 1. Who calls us with a trace has decided already. @default 1 */
  readonly samplingRate?: number;
  /**
   * Keeps, beyond that share, each trace that fails, violates security, is slow or costly: see `createTailSampling` in `@sage-adk/tracing/tail`. Spans of all
   * requests are recorded for it. @default none
   */
  readonly tail?: Omit<TailSamplingOptions, 'next' | 'samplingRate'>;
  /** Further attributes of the service, such as `deployment.environment.name`. */
  readonly resource?: Readonly<Record<string, string | number | boolean>>;
  /** Values that appear on no span, wherever they stand, such as the keys of providers in the messages of their errors. @default [] */
  readonly secrets?: readonly string[];
  /** HTTP headers for the collector, such as an API key. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long a span waits for others before a batch is sent, in milliseconds. @default 5000 */
  readonly batchDelayMs?: number;
  /** Most spans that wait to be sent; those that come then are dropped, and counted. @default 2048 */
  readonly queueSpans?: number;
  /** How long sending a batch may take with all tries, in milliseconds; `shutdown` waits no longer. @default 5000 */
  readonly timeoutMs?: number;
  /** Whether this becomes the global set-up of OpenTelemetry, for libraries that look for one. @default false */
  readonly register?: boolean;
}

export interface Tracing extends AsyncDisposable {
  /** For spans of your own. */
  readonly tracer: Tracer;
  readonly subscription: Subscription;
  /** What became of the sampled spans so far; also the source `tracing`. */
  readonly counts: SpanCounts;
  /** What tail sampling kept and dropped; undefined without it. Also the source `tracing.tail`. */
  readonly tailCounts: TailCounts | undefined;
  /** Resolves when the spans that have ended are delivered or given up. Never rejects. */
  flush(): Promise<void>;
  /** Stops observing, delivers what is left within the timeout, and closes the connection. Never rejects. */
  shutdown(): Promise<void>;
  /** {@link shutdown} by the name that everything stateful here has. */
  close(): Promise<void>;
}

/**
 * Starts to trace all operations.
 *
 * @throws SAGE_CORE_INVALID_OPTION
 */
export function startTracing(options: StartTracingOptions): Tracing {
  const { serviceName, endpoint = 'http://127.0.0.1:4318', samplingRate = 1, resource = {}, headers = {} } = options;
  const { batchDelayMs = 5_000, timeoutMs = 5_000, queueSpans = 2_048, register = false, secrets = [] } = options;
  requireOption('serviceName', serviceName, 'a name', (name) => typeof name === 'string' && name !== '');
  requireNumber('samplingRate', samplingRate, 0, 1);
  requireWhole('batchDelayMs', batchDelayMs, 1);
  requireWhole('timeoutMs', timeoutMs, 1);
  requireWhole('queueSpans', queueSpans, 1);
  const url = tracesUrl(endpoint);
  const otlp = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs });
  const exporter = countExports(hideSecrets(otlp, secrets), url);
  const batches = new BatchSpanProcessor(exporter, {
    scheduledDelayMillis: batchDelayMs,
    exportTimeoutMillis: timeoutMs,
    maxQueueSize: queueSpans,
    maxExportBatchSize: Math.min(512, queueSpans),
  });
  const queue = countQueue(batches, exporter, queueSpans);
  const tail = options.tail && createTailSampling({ ...options.tail, next: queue, samplingRate });
  const roots = createRootSampler(samplingRate);
  const provider = new BasicTracerProvider({
    idGenerator: roots.ids,
    resource: defaultResource().merge(resourceFromAttributes({ ...resource, 'service.name': serviceName })),
    sampler: tail?.sampler ?? new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(samplingRate) }),
    spanProcessors: [tail?.processor ?? queue],
  });
  // With tail sampling all is recorded, so there is nothing to leave out.
  return observed({ provider, queue, tail, roots: tail === undefined ? roots : undefined, register, timeoutMs });
}

interface Parts {
  readonly provider: BasicTracerProvider;
  readonly queue: CountedQueue;
  readonly tail: TailSampling | undefined;
  readonly roots: RootSampler | undefined;
  readonly register: boolean;
  readonly timeoutMs: number;
}

function observed({ provider, queue, tail, roots, register, timeoutMs }: Parts): Tracing {
  const globals = register ? registerGlobals(provider) : undefined;
  const tracer = provider.getTracer('@sage-adk/tracing');
  const subscription = observe(createTracingObserver(tracer, findActiveContext(), roots));
  const counters = source('tracing', () => ({ ...queue.counts() }));
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    subscription[Symbol.dispose]();
    counters[Symbol.dispose]();
    await settledWithin(timeoutMs, provider.shutdown());
    globals?.[Symbol.dispose]();
  };
  const shutdown = (): Promise<void> => (stopped ??= stop());
  return {
    tracer,
    subscription,
    get counts() {
      return queue.counts();
    },
    get tailCounts() {
      return tail?.counts();
    },
    flush: () => settledWithin(timeoutMs, provider.forceFlush()),
    shutdown,
    close: shutdown,
    [Symbol.asyncDispose]: shutdown,
  };
}

/** Resolves when `work` settles, or after `limitMs`. What fails is counted where it fails. */
async function settledWithin(limitMs: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  work.then(resolve, () => resolve());
  await promise;
  clearTimeout(timer);
}
