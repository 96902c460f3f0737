/**
 * The first span of a request that is not sampled. It is decided about before the SDK is asked, which would build the span first, and its ids are made
 * when somebody wants them.
 */
import type { Span, SpanContext, TraceState } from '@opentelemetry/api';
import type { TraceIds } from '@sage-adk/core';

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
  let decided: string | undefined;
  return {
    leaveOut() {
      const folded = randomWord();
      if (folded >= bound) return new LeftOutSpan(folded);
      decided = traceIdOf(folded);
      return undefined;
    },
    ids: {
      generateTraceId() {
        const id = decided ?? traceIdOf(randomWord());
        decided = undefined;
        return id;
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

  /** Made once: each line of a log asks. */
  get ids(): TraceIds {
    if (this.#ids === undefined) {
      const { traceId, spanId } = this.spanContext();
      this.#ids = { traceId, spanId, sampled: false };
    }
    return this.#ids;
  }

  spanContext(): SpanContext {
    this.#spanContext ??= {
      traceId: typeof this.#trace === 'string' ? this.#trace : traceIdOf(this.#trace),
      spanId: newSpanId(),
      traceFlags: 0,
      ...(this.#traceState !== undefined && { traceState: this.#traceState }),
    };
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

/** A random trace id whose four words fold to `folded`, by which it is sampled. */
function traceIdOf(folded: number): string {
  const [first, second, third] = [randomWord(), randomWord(), randomWord()];
  const last = (first ^ second ^ third ^ folded) >>> 0;
  if ((first | second | third | last) === 0) return traceIdOf(folded);
  bytes.writeUInt32BE(first, 0);
  bytes.writeUInt32BE(second, 4);
  bytes.writeUInt32BE(third, 8);
  bytes.writeUInt32BE(last, 12);
  return bytes.toString('hex');
}

function newSpanId(): string {
  bytes.writeUInt32BE(randomWord(), 0);
  // All zeros would be no id.
  bytes.writeUInt32BE(randomWord() || 1, 4);
  return bytes.toString('hex', 0, 8);
}

/** Where ids are made, one at a time. */
const bytes = Buffer.alloc(16);

function randomWord(): number {
  return Math.floor(Math.random() * 0x1_0000_0000);
}
