/**
 * The first span of a request that is not sampled. It is decided about before the SDK is asked, which would build the span first, and its ids are made
 * when somebody wants them.
 */
import type { Span, SpanContext, TraceState } from '@opentelemetry/api';
import type { TraceIds } from '@sage-adk/core';
import { newIds, newSpanId } from './new-ids.ts';

/** Decides about requests that begin a trace, as the SDK's own sampler would. */
export interface RootSampler {
  /** The ids of one that is left out; undefined for one that the SDK shall make. */
  leaveOut(): LeftOutSpan | undefined;
}

/** Makes the ids of the SDK's spans. */
export interface TraceIdSource {
  generateTraceId(): string;
  generateSpanId(): string;
}

/**
 * Samples a share of traces. A request that it wants made gets the id that it was decided by, so the SDK's ratio sampler comes to the same result.
 */
export function createRootSampler(samplingRate: number): RootSampler & { readonly ids: TraceIdSource } {
  const bound = Math.floor(samplingRate * 0xffff_ffff);
  let decided: number | undefined;
  return {
    leaveOut() {
      const folded = randomWord();
      if (folded >= bound) return new LeftOutSpan(folded);
      decided = folded;
      return undefined;
    },
    ids: {
      generateTraceId() {
        const { traceId } = newIds(decided ?? randomWord());
        decided = undefined;
        return traceId;
      },
      generateSpanId: newSpanId,
    },
  };
}

export class LeftOutSpan implements Span {
  readonly #trace: string | number;
  readonly #traceState: TraceState | undefined;
  #spanContext: SpanContext | undefined;
  #ids: TraceIds | undefined;

  /** @param ofTrace its id, or the number that the id was decided by. */
  constructor(ofTrace: string | number, traceState?: TraceState) {
    this.#trace = ofTrace;
    this.#traceState = traceState;
  }

  /** Made once, when somebody wants them: each line of a log does. */
  get ids(): TraceIds {
    return (this.#ids ??= idsOf(this.#trace));
  }

  spanContext(): SpanContext {
    if (this.#spanContext === undefined) {
      const { traceId, spanId } = this.ids;
      const traceState = this.#traceState;
      this.#spanContext = { traceId, spanId, traceFlags: 0, ...(traceState !== undefined && { traceState }) };
    }
    return this.#spanContext;
  }

  isRecording(): boolean {
    return false;
  }

  setAttribute(): this {
    return this;
  }

  setAttributes(): this {
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  setStatus(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  end(): void {}

  recordException(): void {}
}

function idsOf(ofTrace: string | number): TraceIds {
  if (typeof ofTrace === 'string') return { traceId: ofTrace, spanId: newSpanId(), sampled: false };
  return { ...newIds(ofTrace), sampled: false };
}

function randomWord(): number {
  return Math.floor(Math.random() * 0x1_0000_0000);
}
