import type { Clock, Timer } from '@sage-adk/core';
import type { BoundHistogram } from '../instruments/histogram.ts';

/**
 * Observes, in seconds, how late a timer comes that is set again and again.
 *
 * A histogram of our own and not `monitorEventLoopDelay`: that one gives percentiles, which can't be added up over processes, and has to be reset by one scraper.
 */
export function sampleEventLoopDelay(histogram: BoundHistogram, clock: Clock, everyMs: number = 20): Disposable {
  let timer: Timer;
  const wait = (): void => {
    const dueMs = clock.monotonicMs() + everyMs;
    timer = clock.setTimer(() => {
      histogram.observe(Math.max(0, clock.monotonicMs() - dueMs) / 1_000);
      wait();
    }, everyMs);
  };
  wait();
  return { [Symbol.dispose]: () => timer.cancel() };
}
