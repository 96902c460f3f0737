/** Puts every timer and clock of this process on one virtual clock, so that real peers run in simulated time. Only for a process of its own. */
import type { Timer } from '@sage-adk/core';
import { createFakeClock, type FakeClock } from '@sage-adk/core/testing';

/** The clock on which `setTimeout`, `setInterval`, `Date.now` and `performance.now` stand from now on. */
export function takeOverTime(): FakeClock {
  const clock = createFakeClock();
  const handleOf = (timer: { current: Timer }): object => {
    const handle = { ref: () => handle, unref: () => handle, hasRef: () => true, timer };
    return handle;
  };
  const clear = (handle: { timer: { current: Timer } } | undefined): void => handle?.timer.current.cancel();
  const patch = {
    setTimeout(call: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) {
      return handleOf({ current: clock.setTimer(() => call(...args), delayMs) });
    },
    setInterval(call: (...args: unknown[]) => void, everyMs: number, ...args: unknown[]) {
      const timer = { current: clock.setTimer(() => again(), everyMs) };
      const again = (): void => {
        timer.current = clock.setTimer(again, everyMs);
        call(...args);
      };
      return handleOf(timer);
    },
    clearTimeout: clear,
    clearInterval: clear,
  };
  Object.assign(globalThis, patch);
  Object.assign(Date, { now: () => clock.now() });
  Object.defineProperty(performance, 'now', { value: () => clock.monotonicMs() });
  return clock;
}
