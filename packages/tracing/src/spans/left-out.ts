/**
 * The first span of a request that is not sampled. It is decided about before the SDK is asked, which would build the span first, and its ids are made
 * when somebody wants them.
 */
import type { Span, SpanContext, TraceState } from '@opentelemetry/api';

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
      if (folded >= bound) return new LeftOutSpan(() => traceIdOf(folded));
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
  readonly #traceId: () => string;
  readonly #traceState: TraceState | undefined;
  #spanContext: SpanContext | undefined;

  constructor(traceId: () => string, traceState?: TraceState) {
    this.#traceId = traceId;
    this.#traceState = traceState;
  }

  spanContext(): SpanContext {
    this.#spanContext ??= {
      traceId: this.#traceId(),
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
  const id = hex(first) + hex(second) + hex(third) + hex(first ^ second ^ third ^ folded);
  return id === invalidTraceId ? traceIdOf(folded) : id;
}

const invalidTraceId = '0'.repeat(32);

function newSpanId(): string {
  const low = randomWord();
  return hex(randomWord()) + hex(low === 0 ? 1 : low);
}

function randomWord(): number {
  return Math.floor(Math.random() * 0x1_0000_0000);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
