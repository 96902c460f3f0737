import { type Clock, systemClock } from '../clock.ts';
import { current, run } from '../context/context.ts';
import { emit } from '../operations/emit.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import { deadlineErrors } from './errors.ts';
import { type TimerWheel, wheelOf } from './timer-wheel.ts';

export interface TimeoutOptions {
  /** What the error and the event call it; one of few names, never a request's own text. @default 'call' */
  readonly operation?: string;
  /** Ends the wait with its own reason. @default the context's signal */
  readonly parent?: AbortSignal | undefined;
  readonly clock?: Clock;
  /** @default the wheel that all deadlines on this clock share */
  readonly wheel?: TimerWheel;
}

/**
 * Waits for `call` until `timeoutMs` from now or the context's deadline, whichever is earlier, and at most one tick of the wheel longer.
 *
 * Then it rejects with `SAGE_DEADLINE_EXCEEDED` (outcome timeout, transient) and emits `timeout.fired`; when the parent aborts, at once with its
 * reason. `call` runs with the deadline in its context and is expected to stop by `deadline.signal`; what it still returns or throws is ignored.
 * A call whose time is already over, or whose parent is aborted, is not made.
 *
 * @example
 * ```ts
 * const answer = await withTimeout(5_000, ({ signal }) => fetch(url, { signal }), { operation: 'did.resolve' });
 * ```
 */
export function withTimeout<T>(
  timeoutMs: number,
  call: (deadline: Deadline) => PromiseLike<T> | T,
  { operation = 'call', parent = current()?.signal, clock = systemClock, wheel = wheelOf(clock) }: TimeoutOptions = {},
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const deadline = createDeadline({ timeoutMs, parent, clock, wheel });
    const effectiveMs = Math.round(deadline.remainingMs());
    const expire = (): void => {
      parent?.removeEventListener('abort', abort);
      emit('timeout.fired', { operation, timeoutMs: effectiveMs });
      reject(deadlineErrors.EXCEEDED({ operation, timeoutMs: effectiveMs }));
    };
    const abort = (): void => {
      timer.cancel();
      reject(parent?.reason);
    };
    if (parent?.aborted) return reject(parent.reason);
    if (deadline.expired) return expire();

    // Set before the call can read the signal: at the same moment the error of this call comes first.
    const timer = wheel.schedule(expire, deadline.deadlineMs);
    parent?.addEventListener('abort', abort, { once: true });
    const finish = (): void => {
      timer.cancel();
      parent?.removeEventListener('abort', abort);
      deadline[Symbol.dispose]();
    };
    settle(() => run({ deadlineMs: deadline.deadlineMs }, () => call(deadline)), finish).then(resolve, reject);
  });
}

async function settle<T>(call: () => PromiseLike<T> | T, finish: () => void): Promise<T> {
  try {
    return await call();
  } finally {
    finish();
  }
}
