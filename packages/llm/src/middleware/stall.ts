/** Ends a call that does not come along. It looks at content, not at bytes: a comment that keeps a connection alive is no progress. */
import { type Clock, current, emit, type Middleware, requireNumber, systemClock, type Timer } from '@sage-adk/core';
import { type TimerWheel, wheelOf } from '@sage-adk/core/deadline';
import type { Guarded, Watch } from '../body/progress.ts';
import type { LlmAnswer, LlmCall } from '../call.ts';
import { errors } from '../errors.ts';
import { follow, type Follower, unfollow } from '../follow.ts';

/** How long a try may take. Of a stream all three count, of any other answer the last. */
export interface StallOptions {
  /** Milliseconds until the first content. @default no limit */
  readonly firstContentMs?: number | undefined;
  /** Milliseconds from one piece of content to the next, not counting the time in which nobody asks for more. @default no limit */
  readonly betweenContentsMs?: number | undefined;
  /** Milliseconds for all of it; the context's deadline counts as well. @default no limit */
  readonly totalMs?: number | undefined;
  readonly clock?: Clock;
}

export function stall<C extends LlmCall, R>(options: StallOptions): Middleware<C, LlmAnswer<R>> {
  const { firstContentMs, betweenContentsMs, totalMs, clock = systemClock } = options;
  for (const [name, limitMs] of Object.entries({ firstContentMs, betweenContentsMs, totalMs }))
    if (limitMs !== undefined) requireNumber(`stall.${name}`, limitMs, 1);
  const limits: Limits = {
    firstContentMs: firstContentMs ?? never,
    betweenContentsMs: betweenContentsMs ?? never,
    totalMs: totalMs ?? never,
    clock,
    wheel: wheelOf(clock),
  };
  return (call, next) => {
    const watch = new StallWatch(call, limits);
    return next({ ...call, watch, attemptSignal: watch.signal });
  };
}

const never = Number.POSITIVE_INFINITY;

interface Limits {
  readonly clock: Clock;
  readonly firstContentMs: number;
  readonly betweenContentsMs: number;
  readonly totalMs: number;
  readonly wheel: TimerWheel;
}

/** One timer for all of a try: at its time it looks how long content was waited for, and sets itself again. */
class StallWatch implements Watch, Follower {
  readonly #call: LlmCall;
  readonly #limits: Limits;
  readonly #controller = new AbortController();
  readonly follows: AbortSignal | undefined;
  readonly #startedMs: number;
  readonly #untilMs: number;
  /** How long content may be waited for now. Only a stream has any before its end. */
  #limitMs: number;
  /** Whether any content is waited for. */
  #isStream: boolean;
  #hasContent = false;
  #waitedMs = 0;
  #waitsSinceMs: number | undefined;
  #timer: Timer | undefined;
  #guarded: Guarded | undefined;
  #fired: Error | undefined;

  constructor(call: LlmCall, limits: Limits) {
    this.#call = call;
    this.#limits = limits;
    this.#isStream = call.stream;
    this.#limitMs = call.stream ? limits.firstContentMs : never;
    this.#startedMs = this.#waitsSinceMs = limits.clock.monotonicMs();
    this.#untilMs = Math.min(this.#startedMs + limits.totalMs, current()?.deadlineMs ?? never);
    const follows = (this.follows = call.attemptSignal ?? call.signal);
    if (follows?.aborted === true) this.aborted(follows.reason);
    else if (follows !== undefined) follow(follows, this);
    this.#set(this.#startedMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  guards(guarded: Guarded): void {
    this.#guarded = guarded;
  }

  contentEnded(): void {
    this.#isStream = false;
    this.#limitMs = never;
  }

  waits(): void {
    if (this.#isStream) this.#waitsSinceMs ??= this.#limits.clock.monotonicMs();
  }

  arrived(isContent: boolean): void {
    if (!this.#isStream) return;
    if (isContent) {
      this.#waitedMs = 0;
      this.#hasContent = true;
      this.#limitMs = this.#limits.betweenContentsMs;
    } else if (this.#waitsSinceMs !== undefined) {
      this.#waitedMs += this.#limits.clock.monotonicMs() - this.#waitsSinceMs;
    }
    this.#waitsSinceMs = undefined;
  }

  /** A fetch may reject with an error of its own when its signal aborts. */
  failed(error: unknown): unknown {
    this.ended();
    return this.#fired ?? error;
  }

  ended(): void {
    this.#timer?.cancel();
    this.#timer = this.#guarded = undefined;
    if (this.follows !== undefined) unfollow(this.follows, this);
  }

  aborted(reason: unknown): void {
    this.#guarded?.abort(reason);
    this.#controller.abort(reason);
  }

  /** Sets the time of the next look. Until the first content came, the next limit may begin at any moment, so it is looked at as often as that. */
  #set(nowMs: number): void {
    let atMs = this.#untilMs;
    if (this.#isStream) {
      const leftMs = this.#limitMs - this.#waitedNow(nowMs);
      const nextMs = this.#hasContent ? leftMs : Math.min(leftMs, this.#limits.betweenContentsMs);
      atMs = Math.min(atMs, nowMs + Math.max(1, nextMs));
    }
    this.#timer = this.#limits.wheel.schedule(() => this.#look(), atMs);
  }

  #waitedNow(nowMs: number): number {
    return this.#waitedMs + (this.#waitsSinceMs === undefined ? 0 : nowMs - this.#waitsSinceMs);
  }

  #look(): void {
    const nowMs = this.#limits.clock.monotonicMs();
    const { provider } = this.#call;
    const waitedMs = Math.round(this.#waitedNow(nowMs));
    if (nowMs >= this.#untilMs) {
      const timeoutMs = Math.round(nowMs - this.#startedMs);
      this.#fire(errors.TOO_SLOW({ provider, timeoutMs }), timeoutMs);
    } else if (this.#waitsSinceMs !== undefined && waitedMs >= this.#limitMs) {
      this.#fire(errors.STALLED({ provider, waitedMs }), waitedMs);
    } else this.#set(nowMs);
  }

  #fire(error: Error, timeoutMs: number): void {
    this.#fired = error;
    emit('timeout.fired', { operation: 'llm.call', timeoutMs });
    this.#guarded?.abort(error);
    this.#controller.abort(error);
  }
}
