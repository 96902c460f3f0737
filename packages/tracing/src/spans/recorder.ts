/**
 * Makes spans of operations, and knows which span an operation has.
 */
import {
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import type { OperationName, OperationRecord } from '@sage-adk/core';
import type { OperationEntry } from '@sage-adk/core/catalogue';
import { parseTraceParent } from '../context/trace-parent.ts';
import { addAttributes, addContext, type AttributeNames, attributeNames, bounded } from './attributes.ts';
import { LeftOutSpan, type RootSampler } from './left-out.ts';
import { errorTypeAttribute, outcomeAttribute, type Spelling, spellings } from './semantics.ts';
import { toHrTime, wallOriginMs } from './wall-clock.ts';

/** A name of the catalogue with all that its spans need; made once for each name. */
export interface SpanForm {
  readonly spelling: Spelling;
  readonly kind: SpanKind;
  readonly names: AttributeNames;
}

const kinds: Readonly<Record<OperationEntry['spanKind'], SpanKind>> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
};

export function spanForm(name: string, entry: Pick<OperationEntry, 'spanKind'> | undefined): SpanForm {
  const spelling: Spelling = Object.hasOwn(spellings, name) ? (spellings[name as OperationName] as Spelling) : {};
  return {
    spelling,
    kind: kinds[entry?.spanKind ?? 'internal'],
    names: attributeNames(prefixOf(name, entry !== undefined), spelling.attributes ?? {}),
  };
}

/** `sage.llm` for `llm.call`; operations of users keep their own first word. */
export function prefixOf(name: string, isOurs: boolean): string {
  const [first = name] = name.split('.');
  return isOurs ? `sage.${first}` : first;
}

type Spanned = OperationRecord & { [key: symbol]: Span | undefined };

export class SpanRecorder {
  readonly #tracer: Tracer;
  readonly #roots: RootSampler | undefined;
  /** Where an operation's record has its span: a WeakMap would cost more than all else that is done for a request that is left out. */
  readonly #key: symbol = Symbol('span');
  readonly #recorded: WeakSet<object> = new WeakSet();

  /** @param roots decides about requests that begin a trace; without it the SDK does. */
  constructor(tracer: Tracer, roots?: RootSampler) {
    this.#tracer = tracer;
    this.#roots = roots;
  }

  /** The span that `operation` is recorded in, if it has one of its own. */
  spanOf(operation: OperationRecord): Span | undefined {
    return (operation as Spanned)[this.#key];
  }

  /** A span for `operation`, the first of its request, if it is decided that nothing of it is recorded. */
  leaveOut(operation: OperationRecord, parent: SpanContext | undefined): LeftOutSpan | undefined {
    if (this.#roots === undefined) return undefined;
    const span = parent === undefined ? this.#roots.leaveOut() : leftOutBelow(parent);
    if (span !== undefined) (operation as Spanned)[this.#key] = span;
    return span;
  }

  start(
    operation: OperationRecord,
    parent: Context,
    { spelling, kind, names }: SpanForm,
    originMs: number = wallOriginMs(),
    links: Link[] = [],
  ): Span {
    const { start, context } = operation;
    const attributes: Attributes = { ...spelling.fixed?.(start) };
    if (context !== undefined) addContext(attributes, context);
    addAttributes(attributes, start, names);
    const span = this.#tracer.startSpan(
      spelling.name?.(start) ?? operation.name,
      { kind: spelling.kind?.(start) ?? kind, attributes, links, startTime: toHrTime(originMs + operation.startedMs) },
      parent,
    );
    (operation as Spanned)[this.#key] = span;
    return span;
  }

  end(operation: OperationRecord, span: Span, { spelling, names }: SpanForm, originMs: number): void {
    if (!span.isRecording()) return span.end();
    const endedAt = toHrTime(originMs + operation.startedMs + operation.durationMs);
    try {
      span.setAttributes(endAttributes(operation, names));
      const name = spelling.nameAtEnd?.(operation.start, operation.attributes);
      if (name !== undefined) span.updateName(name);
      const origin = spelling.linkAtEnd?.(operation.attributes);
      const linked = origin === undefined ? undefined : parseTraceParent(origin);
      if (linked !== undefined) span.addLink({ context: linked });
      if (operation.outcome === 'error' || operation.outcome === 'timeout') this.#fail(operation, span, endedAt);
    } finally {
      // Whatever of its attributes or of its error cannot be read.
      span.end(endedAt);
    }
  }

  /** An error that passes through many operations is recorded where it happened; the others only tell that they failed. */
  #fail({ error, outcome }: OperationRecord, span: Span, at: [number, number]): void {
    const message = isError(error) ? bounded(error.message) : outcome;
    span.setStatus({ code: SpanStatusCode.ERROR, message });
    if (!isError(error) || this.#recorded.has(error)) return;
    this.#recorded.add(error);
    span.recordException(error, at);
  }
}

/** A caller's no is followed. */
function leftOutBelow({ traceId, traceFlags, traceState }: SpanContext): LeftOutSpan | undefined {
  return (traceFlags & 1) === 0 ? new LeftOutSpan(traceId, traceState) : undefined;
}

/** What is known at the end, with the outcome where it is not `ok`. */
export function endAttributes(operation: OperationRecord, names: AttributeNames): Attributes {
  const attributes: Attributes = {};
  addAttributes(attributes, operation.attributes, names);
  if (operation.outcome === 'ok') return attributes;
  attributes[outcomeAttribute] = operation.outcome;
  if (operation.outcome === 'error' || operation.outcome === 'timeout')
    attributes[errorTypeAttribute] = errorType(operation);
  return attributes;
}

/** Few values: a declared code, the class of the error, or the outcome. */
function errorType({ code, error, outcome, category }: OperationRecord): string {
  if (code !== undefined) return code;
  if (outcome === 'timeout') return 'timeout';
  const name = isError(error) ? error.name : 'Error';
  return name === 'Error' ? (category ?? '_OTHER') : bounded(name);
}

function isError(error: unknown): error is Error {
  if (typeof error !== 'object' || error === null) return false;
  try {
    return typeof (error as Error).message === 'string' && typeof (error as Error).name === 'string';
  } catch {
    return false;
  }
}

/** Whether nothing below this span can be recorded: it is of this process and was sampled out. */
export function isSampledOut(span: Span): boolean {
  if (span instanceof LeftOutSpan) return true;
  const { traceFlags, isRemote } = span.spanContext();
  // One that was recorded and has ended records no longer, yet its children may.
  return (traceFlags & 1) === 0 && isRemote !== true && !span.isRecording() && !('ended' in span);
}

/** The trace of a context's span. */
export function validSpanContext(spanContext: SpanContext | undefined): SpanContext | undefined {
  return spanContext !== undefined && trace.isSpanContextValid(spanContext) ? spanContext : undefined;
}
