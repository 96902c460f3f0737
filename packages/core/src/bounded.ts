import type { Clock } from './clock.ts';

/** How long somebody waits for an answer, and what happens when it doesn't come. */
export interface Bounds {
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** Ends the wait at once with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Makes the error of a wait that took too long. */
  late(): Error;
  /** Called once when the wait is given up, so that the work may be stopped as well. */
  giveUp?(): void;
}

/** What the work can ask: whether anybody still waits. */
export interface Wait {
  readonly over: boolean;
}

/**
 * Waits for `start` no longer than its bounds. What it returns or throws afterwards is ignored, and is never an unhandled rejection.
 */
export function bounded<T>(start: (wait: Wait) => PromiseLike<T>, bounds: Bounds): Promise<T> {
  const { deadlineMs, clock, signal } = bounds;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise<T>((resolve, reject) => {
    const wait = { over: false };
    const finish = (): boolean => {
      if (wait.over) return false;
      wait.over = true;
      timer.cancel();
      signal?.removeEventListener('abort', abort);
      return true;
    };
    const giveUp = (reason: () => unknown): void => {
      if (!finish()) return;
      reject(reason());
      bounds.giveUp?.();
    };
    const abort = (): void => giveUp(() => signal?.reason);
    // One turn of the event loop more: an answer that lies in the socket behind a blocked loop came in time.
    const timer = clock.setTimer(() => void setImmediate(() => giveUp(() => bounds.late())), deadlineMs);
    signal?.addEventListener('abort', abort, { once: true });
    begin(start, wait).then(
      (value) => finish() && resolve(value),
      (error: unknown) => finish() && reject(error),
    );
  });
}

// The call is made at once, and what it throws becomes a rejection.
async function begin<T>(start: (wait: Wait) => PromiseLike<T>, wait: Wait): Promise<T> {
  return start(wait);
}
