import type { BreakerPermit, Clock, Timer } from '@sage-adk/core';

export interface PermitWait {
  /** Until when it waits, on the clock's monotonic time. */
  readonly untilMs: number;
  /** When its answer is of no more use, on the same time. @default Infinity */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What the line asks of its breaker. */
export interface PermitSource {
  /** A permit, where there is one now. */
  take(): BreakerPermit | undefined;
  /** How long until there may be one without anybody saying so. */
  nextMs(): number | undefined;
  /** How long an answer takes at present. */
  answerMs(): number;
  refusal(): Error;
}

interface Waiter {
  readonly deadlineMs: number;
  settle(permit: BreakerPermit | undefined): void;
}

/**
 * Callers that wait for a permit, served in the order they came, each the moment there is one: nobody polls, and no permit lies idle.
 *
 * Whoever could not have an answer before its deadline is refused instead of served: its answer would be work for nobody.
 */
export class WaitingLine {
  readonly #source: PermitSource;
  readonly #clock: Clock;
  readonly #waiters: Set<Waiter> = new Set();
  #timer: Timer | undefined;

  constructor(source: PermitSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiters.size;
  }

  join({ untilMs, deadlineMs = Number.POSITIVE_INFINITY, signal }: PermitWait): Promise<BreakerPermit> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const leave = (): void => {
        this.#waiters.delete(waiter);
        timer.cancel();
        signal?.removeEventListener('abort', abort);
        if (this.#waiters.size === 0) this.#timer?.cancel();
      };
      const abort = (): void => {
        leave();
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        deadlineMs,
        settle(permit) {
          leave();
          if (permit === undefined) reject(source.refusal());
          else resolve(permit);
        },
      };
      const source = this.#source;
      const timer = this.#clock.setTimer(
        () => waiter.settle(undefined),
        Math.max(0, Math.min(untilMs, deadlineMs) - this.#clock.monotonicMs()),
        { keepAlive: true },
      );
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiters.add(waiter);
      this.serve();
    });
  }

  /** Hands out what permits there are; called whenever there may be one. */
  serve(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const waiter of this.#waiters) {
      if (waiter.deadlineMs - this.#clock.monotonicMs() <= this.#source.answerMs()) {
        waiter.settle(undefined);
        continue;
      }
      const permit = this.#source.take();
      if (permit === undefined) break;
      waiter.settle(permit);
    }
    const nextMs = this.#waiters.size === 0 ? undefined : this.#source.nextMs();
    if (nextMs !== undefined) this.#timer = this.#clock.setTimer(() => this.serve(), Math.max(1, nextMs));
  }

  /** Refuses all who wait. */
  dismiss(): void {
    for (const waiter of this.#waiters) waiter.settle(undefined);
  }
}
