/**
 * Traces that nothing is decided about yet, oldest first, within a number of traces and of bytes.
 *
 * A span that began and has not ended counts as an empty one, so neither many traces nor many spans, nor large ones, take more.
 */
import { bytesOf, emptySpanBytes, type FinishedSpan } from './readable-span.ts';

export interface PendingTrace {
  readonly traceId: string;
  readonly sinceMs: number;
  /** Those that have ended. */
  readonly spans: FinishedSpan[];
  /** The ids of those that have not. */
  readonly open: Set<string>;
  bytes: number;
  costUsd: number;
  older: PendingTrace | undefined;
  newer: PendingTrace | undefined;
}

export interface PendingLimits {
  readonly maxTraces: number;
  readonly maxBytes: number;
}

export class PendingTraces {
  readonly #traces: Map<string, PendingTrace> = new Map();
  readonly #limits: PendingLimits;
  // Linked by age: the first key of a Map from which many were removed is slow to find.
  #oldest: PendingTrace | undefined;
  #newest: PendingTrace | undefined;
  #bytes = 0;

  constructor(limits: PendingLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#traces.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(traceId: string): PendingTrace | undefined {
    return this.#traces.get(traceId);
  }

  begin(traceId: string, sinceMs: number): PendingTrace {
    const older = this.#newest;
    const trace: PendingTrace = {
      traceId,
      sinceMs,
      spans: [],
      open: new Set(),
      bytes: 0,
      costUsd: 0,
      older,
      newer: undefined,
    };
    if (older === undefined) this.#oldest = trace;
    else older.newer = trace;
    this.#newest = trace;
    this.#traces.set(traceId, trace);
    return trace;
  }

  opened(trace: PendingTrace, spanId: string): void {
    trace.open.add(spanId);
    this.#grow(trace, emptySpanBytes);
  }

  /** False where the span is none of those that began in it. */
  ended(trace: PendingTrace, span: FinishedSpan): boolean {
    if (!trace.open.delete(span.spanContext().spanId)) return false;
    trace.spans.push(span);
    this.#grow(trace, bytesOf(span) - emptySpanBytes);
    return true;
  }

  /** Removes the trace, which is held, and returns its spans. */
  take(trace: PendingTrace): readonly FinishedSpan[] {
    this.#traces.delete(trace.traceId);
    this.#bytes -= trace.bytes;
    if (trace.older === undefined) this.#oldest = trace.newer;
    else trace.older.newer = trace.newer;
    if (trace.newer === undefined) this.#newest = trace.older;
    else trace.newer.older = trace.older;
    return trace.spans;
  }

  /** The oldest trace, if there are more than there may be. */
  excess(): PendingTrace | undefined {
    const { maxTraces, maxBytes } = this.#limits;
    return this.#traces.size > maxTraces || this.#bytes > maxBytes ? this.oldest() : undefined;
  }

  oldest(): PendingTrace | undefined {
    return this.#oldest;
  }

  #grow(trace: PendingTrace, bytes: number): void {
    trace.bytes += bytes;
    this.#bytes += bytes;
  }
}
