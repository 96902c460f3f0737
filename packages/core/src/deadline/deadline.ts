import { type Clock, systemClock, type Timer } from '../clock.ts';
import { current } from '../context/context.ts';
import { requireNumber, requireOption } from '../errors/options.ts';
import { timeoutReason } from './timeout-reason.ts';
import { type TimerWheel, wheelOf } from './timer-wheel.ts';

export interface DeadlineOptions {
  /** Milliseconds from now. */
  readonly timeoutMs?: number | undefined;
  /** A time on the clock's monotonic time. Of this, `timeoutMs` and the context's deadline the earliest counts. */
  readonly deadlineMs?: number | undefined;
  /** Aborts the deadline's signal with its own reason. @default the context's signal */
  readonly parent?: AbortSignal | undefined;
  readonly clock?: Clock;
  /** @default the wheel that all deadlines on this clock share */
  readonly wheel?: TimerWheel;
}

/** A moment after which nobody wants the answer. Dispose it when the work is done: that aborts nothing and leaves nothing behind. */
export interface Deadline extends Disposable {
  /** On the clock's monotonic time; Infinity for none. */
  readonly deadlineMs: number;
  /** 0 once it passed. */
  remainingMs(): number;
  readonly expired: boolean;
  /**
   * Aborts when the deadline passes, with a `TimeoutError`, or with the parent's reason when the parent aborts.
   * Made at the first read: a deadline whose signal nobody reads has no timer, no listener and no controller.
   */
  readonly signal: AbortSignal;
}

/** Makes a deadline, never later than the context's. Without any deadline around it is one that never passes. */
export function createDeadline({
  timeoutMs = Number.POSITIVE_INFINITY,
  deadlineMs = Number.POSITIVE_INFINITY,
  parent = current()?.signal,
  clock = systemClock,
  wheel,
}: DeadlineOptions = {}): Deadline {
  if (timeoutMs !== Number.POSITIVE_INFINITY) requireNumber('timeoutMs', timeoutMs, 0);
  requireOption('deadlineMs', deadlineMs, 'a number', (time) => !Number.isNaN(time));
  const outerMs = current()?.deadlineMs ?? Number.POSITIVE_INFINITY;
  const ownMs = timeoutMs === Number.POSITIVE_INFINITY ? timeoutMs : clock.monotonicMs() + timeoutMs;
  return new LazyDeadline(Math.min(ownMs, deadlineMs, outerMs), parent, clock, wheel);
}

class LazyDeadline implements Deadline {
  readonly deadlineMs: number;
  readonly #parent: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #wheel: TimerWheel | undefined;
  #signal: AbortSignal | undefined;
  #timer: Timer | undefined;
  #forward: (() => void) | undefined;
  #disposed = false;

  constructor(deadlineMs: number, parent: AbortSignal | undefined, clock: Clock, wheel: TimerWheel | undefined) {
    this.deadlineMs = deadlineMs;
    this.#parent = parent;
    this.#clock = clock;
    this.#wheel = wheel;
  }

  remainingMs(): number {
    return this.deadlineMs === Number.POSITIVE_INFINITY
      ? this.deadlineMs
      : Math.max(0, this.deadlineMs - this.#clock.monotonicMs());
  }

  get expired(): boolean {
    return this.remainingMs() === 0;
  }

  get signal(): AbortSignal {
    return (this.#signal ??= this.#open());
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#detach();
  }

  #open(): AbortSignal {
    const parent = this.#parent;
    if (parent?.aborted) return parent;
    if (this.expired) return AbortSignal.abort(timeoutReason());
    if (this.#disposed) return new AbortController().signal;
    if (this.deadlineMs === Number.POSITIVE_INFINITY) return parent ?? new AbortController().signal;

    const controller = new AbortController();
    const end = (reason: unknown): void => {
      this.#detach();
      controller.abort(reason);
    };
    this.#timer = (this.#wheel ?? wheelOf(this.#clock)).schedule(() => end(timeoutReason()), this.deadlineMs);
    this.#forward = () => end(parent?.reason);
    parent?.addEventListener('abort', this.#forward, { once: true });
    return controller.signal;
  }

  #detach(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#forward !== undefined) this.#parent?.removeEventListener('abort', this.#forward);
    this.#forward = undefined;
  }
}
