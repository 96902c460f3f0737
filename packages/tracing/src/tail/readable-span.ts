/**
 * What tail sampling needs of spans, whichever line of the SDK made them, and how much room they take.
 */
import type { Context, HrTime, SpanContext, SpanStatus } from '@opentelemetry/api';

/** Wider than `Attributes`, which differ between the versions of the API. */
export type SpanAttributes = Readonly<Record<string, unknown>>;

/** A finished span. Those of `@opentelemetry/sdk-trace-base` 2 and `@opentelemetry/sdk-trace` 3 fit. */
export interface FinishedSpan {
  readonly name: string;
  readonly kind: number;
  readonly spanContext: () => SpanContext;
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly status: SpanStatus;
  readonly attributes: SpanAttributes;
  readonly links: { readonly context: SpanContext }[];
  readonly events: { readonly name: string; readonly attributes?: SpanAttributes }[];
  readonly duration: HrTime;
  readonly ended: boolean;
  readonly resource: unknown;
  readonly instrumentationScope: unknown;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

/** A span that began. */
export type StartedSpan = Pick<FinishedSpan, 'spanContext' | 'parentSpanContext'>;

/** A span processor of either line. */
export interface SpanReceiver {
  onStart(span: StartedSpan, context: Context): void;
  onEnd(span: FinishedSpan): void;
  onEnding?(span: StartedSpan): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

export function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & 1) === 1;
}

/** Whether the span is the first one of its request in this process. */
export function isLocalRoot({ parentSpanContext }: StartedSpan): boolean {
  return parentSpanContext === undefined || parentSpanContext.isRemote === true;
}

export function durationMs({ duration: [seconds, nanoseconds] }: FinishedSpan): number {
  return seconds * 1_000 + nanoseconds / 1_000_000;
}

/** `span` as one that was sampled, since processors leave out the others, with further attributes. */
export function asSampled(span: FinishedSpan, attributes: SpanAttributes): FinishedSpan {
  const spanContext = { ...span.spanContext(), traceFlags: span.spanContext().traceFlags | 1 };
  // Member by member: the SDK's spans have getters and private state, which a spread or a prototype would lose.
  return {
    name: span.name,
    kind: span.kind,
    spanContext: () => spanContext,
    ...(span.parentSpanContext !== undefined && { parentSpanContext: span.parentSpanContext }),
    startTime: span.startTime,
    endTime: span.endTime,
    status: span.status,
    attributes: { ...span.attributes, ...attributes },
    links: span.links,
    events: span.events,
    duration: span.duration,
    ended: span.ended,
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}

/** Bytes that a span takes without anything on it. */
export const emptySpanBytes = 1_000;
const entryBytes = 48;

/** Roughly, and rather too much. */
export function bytesOf({ attributes, events, links }: FinishedSpan): number {
  let bytes = emptySpanBytes + links.length * 300 + attributeBytes(attributes);
  for (const event of events) bytes += 150 + (event.attributes === undefined ? 0 : attributeBytes(event.attributes));
  return bytes;
}

function attributeBytes(attributes: SpanAttributes): number {
  let bytes = 0;
  for (const name in attributes) {
    const value = attributes[name];
    bytes += entryBytes;
    if (typeof value === 'string') bytes += value.length * 2;
    else if (Array.isArray(value)) for (const item of value) bytes += 16 + String(item).length * 2;
  }
  return bytes;
}
