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
  /** How many have not. */
  open: number;
  bytes: number;
  costUsd: number;
}

export interface PendingLimits {
  readonly maxTraces: number;
  readonly maxBytes: number;
}

export class PendingTraces {
  readonly #traces: Map<string, PendingTrace> = new Map();
  readonly #limits: PendingLimits;
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
    const trace: PendingTrace = { traceId, sinceMs, spans: [], open: 0, bytes: 0, costUsd: 0 };
    this.#traces.set(traceId, trace);
    return trace;
  }

  opened(trace: PendingTrace): void {
    trace.open++;
    this.#grow(trace, emptySpanBytes);
  }

  ended(trace: PendingTrace, span: FinishedSpan): void {
    trace.open--;
    trace.spans.push(span);
    this.#grow(trace, bytesOf(span) - emptySpanBytes);
  }

  take(trace: PendingTrace): readonly FinishedSpan[] {
    if (this.#traces.delete(trace.traceId)) this.#bytes -= trace.bytes;
    return trace.spans;
  }

  /** The oldest trace, if there are more than there may be. */
  excess(): PendingTrace | undefined {
    const { maxTraces, maxBytes } = this.#limits;
    return this.#traces.size > maxTraces || this.#bytes > maxBytes ? this.oldest() : undefined;
  }

  oldest(): PendingTrace | undefined {
    return this.#traces.values().next().value;
  }

  #grow(trace: PendingTrace, bytes: number): void {
    trace.bytes += bytes;
    this.#bytes += bytes;
  }
}
