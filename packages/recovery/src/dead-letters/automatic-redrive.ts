import { type Clock, requireNumber, systemClock } from '@sage-adk/core';
import {
  redrive,
  type RedriveHandler,
  type RedriveOptions,
  type RedriveResult,
  requireRedriveOptions,
} from './redrive.ts';
import type { DeadLetterStore } from './store.ts';

export interface AutomaticRedriveOptions extends Omit<RedriveOptions, 'signal'> {
  /** From the end of one redrive to the start of the next, in milliseconds; the first starts after it too. @default 60000 */
  readonly intervalMs?: number;
  /** Told after each redrive how it ended, or what the store threw. */
  readonly onResult?: (result: RedriveResult | undefined, error: unknown) => void;
}

/** Redrives that go on until they are closed. */
export interface AutomaticRedrive extends AsyncDisposable {
  /** Aborts the handlers that run, and resolves when they ended. */
  close(): Promise<void>;
}

/**
 * Tries what is due at an interval. Any number of processes may do this on one store: claims keep them apart.
 *
 * Letters that fail wait longer each time, and are parked after the store's `maxRedrives`.
 */
export function startRedrive(
  store: DeadLetterStore,
  handler: RedriveHandler,
  { intervalMs = 60_000, onResult, clock = systemClock, ...options }: AutomaticRedriveOptions = {},
): AutomaticRedrive {
  requireNumber('intervalMs', intervalMs, 1);
  requireRedriveOptions(options);
  const end = new AbortController();
  const done = repeat(clock, intervalMs, end.signal, async () => {
    try {
      // Not within the optional call: nothing in it is done where nobody wants to be told.
      const result = await redrive(store, handler, { ...options, clock, signal: end.signal });
      onResult?.(result, undefined);
    } catch (error) {
      onResult?.(undefined, error);
    }
  });
  const close = (): Promise<void> => {
    end.abort(new DOMException('The redrive was closed.', 'AbortError'));
    return done;
  };
  return { close, [Symbol.asyncDispose]: close };
}

async function repeat(clock: Clock, intervalMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    // Not core's sleep: this wait is in the background and must not keep the process alive.
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = clock.setTimer(wake, intervalMs);
      signal.addEventListener('abort', wake);
    });
    if (!signal.aborted) await work().catch(() => {});
  }
}
