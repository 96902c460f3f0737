import { type Attributes, type Span, trace, type Tracer } from '@opentelemetry/api';
import {
  current,
  type Observer,
  observe,
  type OperationHandlers,
  type Subscription,
  type TraceIds,
} from '@sage-adk/core';
import { catalogue, type EventEntry, type OperationEntry } from '@sage-adk/core/catalogue';
import { type ActiveContext, findActiveContext } from './context/active-context.ts';
import { carrierFields, withRemote, writeRemote } from './context/propagation.ts';
import { addAttributes, attributeNames } from './spans/attributes.ts';
import { eventHandlers, lateSpanHandlers, spanHandlers, tryHandlers } from './spans/handlers.ts';
import { spanForEvents } from './spans/late-span.ts';
import { LeftOutSpan, type RootSampler } from './spans/left-out.ts';
import { criticalAttribute, securityAttribute } from './spans/semantics.ts';
import { prefixOf, spanForm, SpanRecorder, validSpanContext } from './spans/recorder.ts';

export interface TracingOptions {
  /** Makes the spans: of a provider of your own, or of `startTracing` in `@sage-adk/tracing/sdk`. @default the global tracer provider's */
  readonly tracer?: Tracer;
  /** Keeps track of the active span. @default the registered one, else one of our own */
  readonly contextManager?: ActiveContext;
}

/**
 * Makes spans of operations, from now on. Register your OpenTelemetry SDK before, if you have one: our spans then nest in yours and yours in ours.
 *
 * What becomes a span, what an event on a span and what nothing is said by the catalogue of core. The first operation of a request goes on with the trace that
 * came in its context's `carrier`; core's `inject` takes the active one along. Content of messages is never recorded.
 */
export function observeTracing({
  tracer = trace.getTracer('@sage-adk/tracing'),
  contextManager = findActiveContext(),
}: TracingOptions = {}): Subscription {
  return observe(createTracingObserver(tracer, contextManager));
}

/** @param roots decides about requests that begin a trace, before the SDK is asked. */
export function createTracingObserver(tracer: Tracer, active: ActiveContext, roots?: RootSampler): Observer {
  const recorder = new SpanRecorder(tracer, roots);
  return {
    name: 'tracing',
    carrierFields,
    operation: (name) => handlersOf(name, recorder, active),
    event: (name) => eventListener(name, active),
    trace: (operation) => traceIds((operation && recorder.spanOf(operation)) ?? trace.getSpan(active.active())),
    inject(carrier) {
      const context = active.active();
      const received = current()?.carrier;
      // Outside of any span what came with the request is handed on.
      const isInSpan = received === undefined || trace.getSpan(context) !== undefined;
      writeRemote(isInSpan ? context : withRemote(context, received), carrier);
    },
  };
}

function handlersOf(name: string, recorder: SpanRecorder, active: ActiveContext): OperationHandlers | undefined {
  const entry = Object.hasOwn(catalogue.operations, name)
    ? (catalogue.operations as Record<string, OperationEntry>)[name]
    : undefined;
  const form = spanForm(name, entry);
  // Operations that users added are spans.
  const { trace: kind, spanFromMs }: Pick<OperationEntry, 'trace' | 'spanFromMs'> = entry ?? { trace: 'span' };
  if (kind === 'none') return undefined;
  if (name === 'retry.attempt') return tryHandlers(active, form);
  if (kind === 'event') return eventHandlers(active, form);
  return spanFromMs === undefined
    ? spanHandlers(recorder, active, form)
    : lateSpanHandlers(recorder, active, form, spanFromMs);
}

/** An event is told by the span that is active when it happens. */
function eventListener(name: string, active: ActiveContext): (event: unknown) => void {
  const entry = Object.hasOwn(catalogue.events, name)
    ? (catalogue.events as Record<string, EventEntry>)[name]
    : undefined;
  const names = attributeNames(prefixOf(name, entry !== undefined), {});
  // A span holds so many events and no more; what decides whether the trace is kept is said on the span itself.
  const mark = entry && markOf(entry);
  return (event) => {
    const span = spanForEvents(active.active());
    if (!span?.isRecording()) return;
    const attributes: Attributes = {};
    addAttributes(attributes, event as object, names);
    span.addEvent(name, attributes);
    if (mark !== undefined) span.setAttribute(mark, true);
  };
}

function markOf({ category, level }: EventEntry): string | undefined {
  if (category === 'security') return securityAttribute;
  return level === 'ERROR' || level === 'FATAL' ? criticalAttribute : undefined;
}

function traceIds(span: Span | undefined): TraceIds | undefined {
  if (span instanceof LeftOutSpan) return span.ids;
  const valid = validSpanContext(span?.spanContext());
  return valid && { traceId: valid.traceId, spanId: valid.spanId, sampled: (valid.traceFlags & 1) === 1 };
}
