/** What tracing does at the start and at the end of an operation, one kind of handlers for each form that the catalogue knows. */
import { type Context, type Span, trace } from '@opentelemetry/api';
import type { OperationHandlers, OperationRecord } from '@sage-adk/core';
import type { ActiveContext } from '../context/active-context.ts';
import { withRemote } from '../context/propagation.ts';
import { withSpan } from '../context/with-span.ts';
import { addEvent, LateSpan, parentContext, spanForEvents } from './late-span.ts';
import { isSampledOut, type SpanForm, type SpanRecorder, validSpanContext } from './recorder.ts';
import { linksOfTry, noteSpanOfTry, Tries } from './tries.ts';
import { wallOriginMs } from './wall-clock.ts';

interface RunningSpan {
  /** What the operation runs in. */
  readonly context: Context;
  readonly span: Span;
  readonly originMs: number;
}

/** A span from start to end. */
export function spanHandlers(recorder: SpanRecorder, active: ActiveContext, form: SpanForm): OperationHandlers {
  return {
    start: (operation) => startSpan(recorder, active.active(), operation, form),
    carry: (_operation, state, call) => active.with((state as RunningSpan).context, call),
    end(operation, state) {
      if (state === undefined) return;
      const { span, originMs } = state as RunningSpan;
      recorder.end(operation, span, form, originMs);
    },
  };
}

/** A span if the operation takes `spanFromMs` or holds other spans, else an event on its parent. */
export function lateSpanHandlers(
  recorder: SpanRecorder,
  active: ActiveContext,
  form: SpanForm,
  spanFromMs: number,
): OperationHandlers {
  return {
    start(operation) {
      const context = active.active();
      // Without a parent there is nothing to leave an event on.
      if (trace.getSpan(context)?.isRecording()) return new LateSpan(recorder, operation, context, form);
      return startSpan(recorder, context, operation, form);
    },
    carry: (_operation, state, call) => active.with((state as LateSpan | RunningSpan).context, call),
    end(operation, state) {
      if (state instanceof LateSpan) state.end(operation, spanFromMs);
      else if (state !== undefined)
        recorder.end(operation, (state as RunningSpan).span, form, (state as RunningSpan).originMs);
    },
  };
}

/** An event on the span around it, at its end. */
export function eventHandlers(active: ActiveContext, form: SpanForm): OperationHandlers {
  return {
    start() {
      const context = active.active();
      return trace.getSpan(context)?.isRecording() ? context : undefined;
    },
    end(operation, state) {
      if (state !== undefined) addEvent(spanForEvents(state as Context), operation, form, wallOriginMs());
    },
  };
}

/** An event on the span around it, whose first span links to that of the try before. */
export function tryHandlers(active: ActiveContext, form: SpanForm): OperationHandlers {
  const tries = new Tries();
  return {
    start(operation) {
      const outer = active.active();
      const span = trace.getSpan(outer);
      return span !== undefined && isSampledOut(span) ? undefined : { outer, context: tries.begin(outer, operation) };
    },
    carry: (_operation, state, call) => active.with((state as RunningTry).context, call),
    end(operation, state) {
      if (state === undefined) return;
      const { outer, context } = state as RunningTry;
      tries.end(outer, context, operation);
      addEvent(spanForEvents(outer), operation, form, wallOriginMs());
    },
  };
}

interface RunningTry {
  readonly outer: Context;
  readonly context: Context;
}

function startSpan(
  recorder: SpanRecorder,
  active: Context,
  operation: OperationRecord,
  form: SpanForm,
): RunningSpan | undefined {
  const outer = trace.getSpan(active);
  // Below a span that was sampled out nothing can be recorded: it needs no span of its own, and the outer one stays active.
  if (outer !== undefined && isSampledOut(outer)) return undefined;
  const parent = outer === undefined ? rootContext(active, operation) : parentContext(active);
  const leftOut = outer === undefined ? recorder.leaveOut(operation, trace.getSpanContext(parent)) : undefined;
  if (leftOut !== undefined) return { span: leftOut, originMs: 0, context: withSpan(parent, leftOut) };
  const originMs = wallOriginMs();
  const span = recorder.start(operation, parent, form, originMs, linksOfTry(active));
  noteSpanOfTry(active, span);
  // No SDK, or tracing is suppressed here.
  if (!span.isRecording() && validSpanContext(span.spanContext()) === undefined) return undefined;
  return { span, originMs, context: withSpan(parent, span) };
}

function rootContext(active: Context, { context }: OperationRecord): Context {
  return context?.carrier === undefined ? active : withRemote(active, context.carrier);
}
