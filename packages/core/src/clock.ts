import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as ownSetTimeout } from 'node:timers';

/**
 * Time and chance as parameters, so that every timing test can run on a fake clock and a seeded random.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. May step; use it for what people and other machines read. */
  now(): number;
  /** Time that never goes back, in milliseconds from an arbitrary origin. Use it for durations and deadlines. */
  monotonicMs(): number;
  /** Calls `callback` once after `delayMs`. Delays above 2^31-1 ms are cut to that. */
  setTimer(callback: () => void, delayMs: number, options?: TimerOptions): Timer;
}

export interface TimerOptions {
  /** Whether the process stays alive for this timer: yes where somebody awaits it, no for work in the background. @default false */
  readonly keepAlive?: boolean;
}

/** A pending call of {@link Clock.setTimer}. */
export interface Timer {
  /** Stops the call; does nothing once it ran. */
  cancel(): void;
}

/** A number in [0, 1), as `Math.random` gives. */
export type Random = () => number;

const longestDelayMs = 2 ** 31 - 1;

// Looked up each time, so that test runners can fake it.
function steadyMs(): number {
  const time = process.hrtime();
  return time[0] * 1_000 + time[1] / 1_000_000;
}

// Counts from the instant that performance.now() counts from.
const originMs = steadyMs() - performance.now();

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // A limiter reads the clock for each decision, and looking up `process.hrtime` costs half as much as reading it. Who fakes it fakes the timers as well.
  monotonicMs: () => (setTimeout === ownSetTimeout ? performance.now() : steadyMs() - originMs),
  setTimer(callback, delayMs, { keepAlive = false } = {}) {
    const timeout = setTimeout(callback, Math.min(delayMs, longestDelayMs));
    if (!keepAlive) timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};

/** Whether this is the machine's clock, and nobody fakes its timers now. */
export function isMachineTime(clock: Clock): boolean {
  return clock === systemClock && setTimeout === ownSetTimeout;
}

/** The machine's own source of chance; not for secrets. */
export const systemRandom: Random = Math.random;
