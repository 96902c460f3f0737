/**
 * A span that is only made if it is needed: because its operation took long, or because another span needs it as its parent.
 *
 * So a step too short to matter costs no span and still nests what happens in it.
 */
import { type Context, createContextKey, type Span, trace } from '@opentelemetry/api';
import type { OperationRecord } from '@sage-adk/core';
import { withSpan } from '../context/with-span.ts';
import { endAttributes, type SpanForm, type SpanRecorder } from './recorder.ts';
import { addAttributes } from './attributes.ts';
import { toHrTime, wallOriginMs } from './wall-clock.ts';

const lateSpanKey = createContextKey('@sage-adk/tracing late span');

export class LateSpan {
  /** What the operation runs in. */
  readonly context: Context;
  readonly #recorder: SpanRecorder;
  readonly #operation: OperationRecord;
  readonly #form: SpanForm;
  /** Active when the operation began. */
  readonly #outer: Context;
  readonly #outerSpan: Span | undefined;
  readonly #originMs = wallOriginMs();
  #span: Span | undefined;
  #ended = false;

  constructor(recorder: SpanRecorder, operation: OperationRecord, outer: Context, form: SpanForm) {
    this.#recorder = recorder;
    this.#operation = operation;
    this.#form = form;
    this.#outer = outer;
    this.#outerSpan = trace.getSpan(outer);
    this.context = outer.setValue(lateSpanKey, this);
  }

  /** Whether it stands for the active span of `active`: nobody has made another one current since. */
  isInnermost(active: Context): boolean {
    return trace.getSpan(active) === this.#outerSpan;
  }

  /** `active` with this span in it, made now if it is not yet. */
  within(active: Context): Context {
    if (this.#ended && this.#span === undefined) return active;
    return withSpan(active, this.#open());
  }

  /** The span that an event now belongs to. */
  spanForEvents(): Span | undefined {
    return this.#span ?? spanForEvents(this.#outer);
  }

  /** Ends the span, or leaves an event on the outer one if none was made and the operation was shorter than `spanFromMs`. */
  end(operation: OperationRecord, spanFromMs: number): void {
    const span = this.#span ?? (operation.durationMs >= spanFromMs ? this.#open() : undefined);
    this.#ended = true;
    if (span !== undefined) return this.#recorder.end(operation, span, this.#form, this.#originMs);
    addEvent(spanForEvents(this.#outer), operation, this.#form, this.#originMs);
  }

  #open(): Span {
    this.#span ??= this.#recorder.start(this.#operation, parentContext(this.#outer), this.#form, this.#originMs);
    return this.#span;
  }
}

/** The context that a span of now has as its parent; a late span that is innermost is made for it. */
export function parentContext(active: Context): Context {
  const late = lateSpanOf(active);
  return late === undefined ? active : late.within(active);
}

/** The span that an event of now belongs to. */
export function spanForEvents(active: Context): Span | undefined {
  return lateSpanOf(active)?.spanForEvents() ?? trace.getSpan(active);
}

/** Adds an operation to `span` as an event at its end. */
export function addEvent(
  span: Span | undefined,
  operation: OperationRecord,
  { names }: SpanForm,
  originMs: number,
): void {
  if (!span?.isRecording()) return;
  const attributes = endAttributes(operation, names);
  addAttributes(attributes, operation.start, names);
  attributes['sage.duration_ms'] = operation.durationMs;
  span.addEvent(operation.name, attributes, toHrTime(originMs + operation.startedMs + operation.durationMs));
}

function lateSpanOf(active: Context): LateSpan | undefined {
  const late = active.getValue(lateSpanKey) as LateSpan | undefined;
  return late?.isInnermost(active) ? late : undefined;
}
