/** How many letters a store holds and how old the oldest is, for metrics. */
import { type Clock, requireNumber, source, systemClock } from '@sage-adk/core';
import type { DeadLetterStats, DeadLetterStore } from './store.ts';

export interface WatchDeadLettersOptions {
  /** From one look at the store to the next, in milliseconds. @default 15000 */
  readonly intervalMs?: number;
  readonly clock?: Clock;
}

/**
 * Offers the letters of a store by state and the age of its oldest one as the sources `dlq.letters` and `dlq.oldest`, until it is disposed.
 *
 * Metrics must not wait for a server when they are read, so the store is asked at an interval, first at once. While it does not answer there are no numbers,
 * rather than old ones. Processes that watch one store say the same of it: take the greatest, not the sum.
 */
export function watchDeadLetters(
  store: DeadLetterStore,
  { intervalMs = 15_000, clock = systemClock }: WatchDeadLettersOptions = {},
): Disposable {
  requireNumber('intervalMs', intervalMs, 1);
  // Between queue and state stands a bar.
  const queue = store.queue.replaceAll('|', '/');
  let seen: { readonly stats: DeadLetterStats; readonly atMs: number } | undefined;
  let disposed = false;
  let cancel = (): void => {};
  const look = async (): Promise<void> => {
    const stats = await store.stats().catch(() => undefined);
    if (disposed) return;
    seen = stats && { stats, atMs: clock.monotonicMs() };
    const timer = clock.setTimer(() => void look(), intervalMs);
    cancel = () => timer.cancel();
  };
  const sources = [
    source('dlq.letters', () => {
      if (seen === undefined) return {};
      const { dead, claimed, parked } = seen.stats;
      return { [`${queue}|dead`]: dead, [`${queue}|claimed`]: claimed, [`${queue}|parked`]: parked };
    }),
    source('dlq.oldest', () => {
      if (seen === undefined) return {};
      const { oldestAgeMs } = seen.stats;
      const ageMs = oldestAgeMs === undefined ? 0 : oldestAgeMs + clock.monotonicMs() - seen.atMs;
      return { [queue]: ageMs / 1_000 };
    }),
  ];
  void look();
  return {
    [Symbol.dispose]() {
      disposed = true;
      cancel();
      for (const one of sources) one[Symbol.dispose]();
    },
  };
}
