/**
 * Tail sampling in the process: a share of all traces, and of the others each one that turns out to be worth it.
 *
 * Spans of a trace outside of the share are held until all that began have ended. One that failed, violated security, was slow or costly sends them all on,
 * at once, and those that follow. Else they are dropped, and counted.
 */
import { type Clock, requireNumber, requireWhole, source, systemClock } from '@sage-adk/core';
import { samplingReasonAttribute } from '../spans/semantics.ts';
import { type PendingTrace, PendingTraces } from './pending-traces.ts';
import {
  asSampled,
  type FinishedSpan,
  isLocalRoot,
  isSampled,
  type SpanReceiver,
  type StartedSpan,
} from './readable-span.ts';
import { Recent } from './recent.ts';
import { createTailSampler, type TailSampler } from './sampler.ts';
import { costUsdOf, type KeepReason, type KeepRules, reasonToKeep } from './verdict.ts';

export interface TailSamplingOptions {
  /** Takes what is kept, such as a `BatchSpanProcessor`. */
  readonly next: SpanReceiver;
  /** Share of new traces that is kept whatever becomes of them, from 0 to 1. A caller's yes is followed. @default 0.1 */
  readonly samplingRate?: number;
  /** A trace with a span of this many milliseconds is kept, and one that still runs after them. @default 5000 */
  readonly slowMs?: number;
  /** A trace whose calls of models cost this much is kept. @default Infinity, which is never */
  readonly costUsd?: number;
  /** Most traces that are held. @default 10000 */
  readonly maxTraces?: number;
  /** Most bytes that held spans take, roughly; the oldest trace makes room. @default 32 MiB */
  readonly maxBytes?: number;
  /** Longest that a trace is held, in milliseconds. @default 60000 */
  readonly maxAgeMs?: number;
  readonly clock?: Clock;
}

/** Why spans were dropped: outside of the share, after their trace was dropped, no room, held for too long, after the end. */
export type DropReason = 'sampling' | 'late' | 'memory' | 'age' | 'closed';

/** Running totals of traces that were kept and spans that were dropped, by reason, and what is held now. */
export interface TailCounts {
  readonly keptError: number;
  readonly keptSecurity: number;
  readonly keptSlow: number;
  readonly keptCost: number;
  /** Requests of which nothing was held, since they are in the share or their caller samples. */
  readonly keptHead: number;
  readonly droppedSampling: number;
  readonly droppedLate: number;
  readonly droppedMemory: number;
  readonly droppedAge: number;
  readonly droppedClosed: number;
  readonly heldTraces: number;
  readonly heldBytes: number;
}

export interface TailSampling {
  /** For the tracer provider, with {@link TailSampling.processor}. */
  readonly sampler: TailSampler;
  readonly processor: SpanReceiver;
  /** Also the source `tracing.tail`, until the processor is shut down. */
  counts(): TailCounts;
}

/**
 * Makes the sampler and the processor of a tracer provider, of either line of the OpenTelemetry SDK.
 *
 * Spans of traces that are kept outside of the share have the attribute `sage.sampling.reason`.
 *
 * @throws SAGE_CORE_INVALID_OPTION
 * @example
 * ```ts
 * const tail = createTailSampling({ next: new BatchSpanProcessor(exporter), samplingRate: 0.01, slowMs: 2_000 });
 * const provider = new BasicTracerProvider({ sampler: tail.sampler, spanProcessors: [tail.processor] });
 * ```
 */
export function createTailSampling({
  next,
  samplingRate = 0.1,
  slowMs = 5_000,
  costUsd = Number.POSITIVE_INFINITY,
  maxTraces = 10_000,
  maxBytes = 32 * 2 ** 20,
  maxAgeMs = 60_000,
  clock = systemClock,
}: TailSamplingOptions): TailSampling {
  requireNumber('samplingRate', samplingRate, 0, 1);
  if (slowMs !== Number.POSITIVE_INFINITY) requireNumber('slowMs', slowMs, 0);
  if (costUsd !== Number.POSITIVE_INFINITY) requireNumber('costUsd', costUsd, 0);
  requireWhole('maxTraces', maxTraces, 1);
  requireWhole('maxBytes', maxBytes, 1);
  requireNumber('maxAgeMs', maxAgeMs, 0);
  const tail = new Tail(next, new PendingTraces({ maxTraces, maxBytes }), { slowMs, costUsd, maxAgeMs, clock });
  return { sampler: createTailSampler(samplingRate), processor: tail, counts: () => tail.counts() };
}

interface TailRules extends KeepRules {
  readonly maxAgeMs: number;
  readonly clock: Clock;
}

type Decision = KeepReason | DropReason;

/** How many traces are remembered at least after they were decided, for spans that come later. */
const remembered = 10_000;

class Tail implements SpanReceiver {
  readonly #next: SpanReceiver;
  readonly #pending: PendingTraces;
  readonly #rules: TailRules;
  readonly #decisions: Recent<Decision> = new Recent(remembered);
  readonly #kept: Record<KeepReason | 'head', number> = { error: 0, security: 0, slow: 0, cost: 0, head: 0 };
  readonly #dropped: Record<DropReason, number> = { sampling: 0, late: 0, memory: 0, age: 0, closed: 0 };
  readonly #source: Disposable = source('tracing.tail', () => ({ ...this.counts() }));
  #closed = false;

  constructor(next: SpanReceiver, pending: PendingTraces, rules: TailRules) {
    this.#next = next;
    this.#pending = pending;
    this.#rules = rules;
  }

  onStart(span: StartedSpan, context: Parameters<SpanReceiver['onStart']>[1]): void {
    this.#next.onStart(span, context);
    if (this.#closed) return;
    const spanContext = span.spanContext();
    if (isSampled(spanContext)) {
      if (isLocalRoot(span)) this.#kept.head++;
      return;
    }
    const { traceId, spanId } = spanContext;
    let trace = this.#pending.get(traceId);
    if (trace === undefined) {
      // A span below one that is decided about follows it, and a further request of a trace that is kept is kept.
      const decision = this.#decisions.get(traceId);
      if (decision !== undefined && (isKept(decision) || !isLocalRoot(span))) return;
      this.#decisions.delete(traceId);
      trace = this.#pending.begin(traceId, this.#rules.clock.monotonicMs());
    }
    this.#pending.opened(trace, spanId);
    this.#makeRoom();
  }

  onEnding(span: StartedSpan): void {
    this.#next.onEnding?.(span);
  }

  onEnd(span: FinishedSpan): void {
    if (isSampled(span.spanContext())) return this.#next.onEnd(span);
    if (this.#closed) return void this.#dropped.closed++;
    const trace = this.#pending.get(span.spanContext().traceId);
    // One of an earlier request of the trace belongs to what was decided about that.
    if (trace === undefined || !this.#pending.ended(trace, span)) return this.#late(span);
    trace.costUsd += costUsdOf(span);
    const reason = reasonToKeep(span, this.#rules) ?? (trace.costUsd >= this.#rules.costUsd ? 'cost' : undefined);
    if (reason !== undefined) this.#keep(trace, reason);
    else if (trace.open.size === 0) this.#drop(trace, 'sampling');
    else this.#makeRoom();
  }

  forceFlush(): Promise<void> {
    this.#endWaits();
    return this.#next.forceFlush();
  }

  /** Drops what is held, and shuts the next one down. */
  shutdown(): Promise<void> {
    this.#endWaits();
    for (let trace = this.#pending.oldest(); trace !== undefined; trace = this.#pending.oldest())
      this.#drop(trace, 'closed');
    this.#closed = true;
    this.#source[Symbol.dispose]();
    return this.#next.shutdown();
  }

  counts(): TailCounts {
    const { error, security, slow, cost, head } = this.#kept;
    const { sampling, late, memory, age, closed } = this.#dropped;
    return {
      keptError: error,
      keptSecurity: security,
      keptSlow: slow,
      keptCost: cost,
      keptHead: head,
      droppedSampling: sampling,
      droppedLate: late,
      droppedMemory: memory,
      droppedAge: age,
      droppedClosed: closed,
      heldTraces: this.#pending.size,
      heldBytes: this.#pending.bytes,
    };
  }

  /** A span of a trace that is decided about. One that is worth it is kept alone. */
  #late(span: FinishedSpan): void {
    const { traceId } = span.spanContext();
    const decision = this.#decisions.get(traceId);
    if (decision !== undefined && isKept(decision)) return this.#pass(span, decision);
    const reason = reasonToKeep(span, this.#rules) ?? (costUsdOf(span) >= this.#rules.costUsd ? 'cost' : undefined);
    if (reason === undefined)
      return void this.#dropped[decision === 'memory' || decision === 'age' ? decision : 'late']++;
    this.#kept[reason]++;
    this.#decisions.set(traceId, reason);
    this.#pass(span, reason);
  }

  #keep(trace: PendingTrace, reason: KeepReason): void {
    this.#kept[reason]++;
    this.#decisions.set(trace.traceId, reason);
    for (const span of this.#pending.take(trace)) this.#pass(span, reason);
  }

  #drop(trace: PendingTrace, reason: DropReason): void {
    this.#decisions.set(trace.traceId, reason);
    this.#dropped[reason] += this.#pending.take(trace).length;
  }

  #pass(span: FinishedSpan, reason: KeepReason): void {
    this.#next.onEnd(asSampled(span, { [samplingReasonAttribute]: reason }));
  }

  #makeRoom(): void {
    this.#endWaits();
    for (let trace = this.#pending.excess(); trace !== undefined; trace = this.#pending.excess())
      this.#drop(trace, 'memory');
  }

  /** What still runs after `slowMs` is slow; without such a limit a trace is held no longer than `maxAgeMs`. */
  #endWaits(): void {
    const { slowMs, maxAgeMs, clock } = this.#rules;
    const nowMs = clock.monotonicMs();
    for (let trace = this.#pending.oldest(); trace !== undefined; trace = this.#pending.oldest()) {
      const ageMs = nowMs - trace.sinceMs;
      if (ageMs >= slowMs) this.#keep(trace, 'slow');
      else if (ageMs >= maxAgeMs) this.#drop(trace, 'age');
      else return;
    }
  }
}

function isKept(decision: Decision): decision is KeepReason {
  return decision === 'error' || decision === 'security' || decision === 'slow' || decision === 'cost';
}
