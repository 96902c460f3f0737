import { type Clock, isSageError } from '@sage-adk/core';

/**
 * The result of `call`, or the rejection that `late` makes where it does not come within `deadlineMs`. What comes later is ignored.
 */
export function withinDeadline<T>(
  call: () => T | Promise<T>,
  deadlineMs: number,
  clock: Clock,
  late: () => Error,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    // One turn of the event loop more: an answer that lies in the socket behind a blocked loop came in time.
    const timer = clock.setTimer(() => void setImmediate(() => reject(late())), deadlineMs, { keepAlive: true });
    const settle = async (): Promise<T> => {
      try {
        return await call();
      } finally {
        timer.cancel();
      }
    };
    settle().then(resolve, reject);
  });
}

/** Whether an answer never came, in time, or lost with its connection: what was asked may have been carried out, or will be. */
export function isUnanswered(error: unknown): boolean {
  return isSageError(error) && (error.outcome === 'timeout' || error.details['sent'] === true);
}
