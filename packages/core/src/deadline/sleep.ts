import { type Clock, systemClock } from '../clock.ts';
import { current } from '../context/context.ts';
import { requireOption } from '../errors/options.ts';

export interface SleepOptions {
  /** Ends the sleep. @default the context's signal */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
}

/**
 * Resolves after `delayMs`, never earlier; 0 and less is the next turn of the event loop. Rejects at once with the signal's reason when it aborts.
 * Either way no timer and no listener is left. The process stays alive meanwhile: somebody awaits this.
 */
export function sleep(
  delayMs: number,
  { signal = current()?.signal, clock = systemClock }: SleepOptions = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    requireOption('delayMs', delayMs, 'a number', (delay) => !Number.isNaN(delay));
    if (signal?.aborted) return reject(signal.reason);
    const untilMs = clock.monotonicMs() + delayMs;
    const wake = (): void => {
      // A timer may come a fraction early, and one of more than 24 days comes in pieces.
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs > 0) {
        timer = clock.setTimer(wake, leftMs, { keepAlive: true });
        return;
      }
      signal?.removeEventListener('abort', abort);
      resolve();
    };
    const abort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    let timer = clock.setTimer(wake, delayMs, { keepAlive: true });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
