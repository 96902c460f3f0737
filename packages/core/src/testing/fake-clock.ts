import { setImmediate } from 'node:timers';
import type { Clock, Timer } from '../clock.ts';
import { requireNumber, requireOption } from '../errors/options.ts';
import { Heap, type HeapMember } from '../queue/heap.ts';
import { testingErrors } from './errors.ts';

export interface FakeClockOptions {
  /** Wall-clock time at the start, in milliseconds since the Unix epoch. @default 2025-01-01T00:00:00Z */
  readonly nowMs?: number;
}

/** A clock that stands still until it is told to go on. */
export interface FakeClock extends Clock {
  /**
   * Goes on by `ms` and calls each timer that becomes due, in the order of time, ties in the order of creation, with the clock standing at its time.
   * Timers that these set are called as well if they become due. What a timer throws comes out here, and the clock stays at that timer's time.
   */
  advance(ms: number): void;
  /** The same, and lets promises and other pending callbacks run before the first timer, after each, and at the end. */
  advanceAsync(ms: number): Promise<void>;
  /** Steps the wall clock alone, as an operator or NTP does; the monotonic time and the timers don't move. */
  stepWall(ms: number): void;
  /** Timers that are set and neither ran nor were cancelled. */
  readonly pending: number;
}

const mostCalls = 1_000_000;
const longestDelayMs = 2 ** 31 - 1;

/** Makes a clock for tests. Its monotonic time starts at 1000, so that nobody can take it for wall-clock time, or 0 for "unset". */
export function createFakeClock({ nowMs = Date.UTC(2025, 0, 1) }: FakeClockOptions = {}): FakeClock {
  return new ManualClock(requireNumber('nowMs', nowMs, 0));
}

class ManualClock implements FakeClock {
  #monotonicMs = 1_000;
  #wallOffsetMs: number;
  #sequence = 0;
  readonly #timers = new Heap<ManualTimer>(
    (a, b) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence),
  );

  constructor(nowMs: number) {
    this.#wallOffsetMs = nowMs - this.#monotonicMs;
  }

  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#monotonicMs + this.#wallOffsetMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    requireOption('delayMs', delayMs, 'a number', (delay) => !Number.isNaN(delay));
    const dueMs = this.#monotonicMs + Math.min(Math.max(0, delayMs), longestDelayMs);
    const timer = { heapIndex: -1, dueMs, sequence: this.#sequence++, callback };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.remove(timer) };
  }

  stepWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  advance(ms: number): void {
    const untilMs = this.#monotonicMs + requireNumber('ms', ms, 0);
    for (let calls = 0; this.#callNext(untilMs); calls++) refuseLoop(calls);
    this.#monotonicMs = Math.max(this.#monotonicMs, untilMs);
  }

  async advanceAsync(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + requireNumber('ms', ms, 0);
    await othersRan();
    for (let calls = 0; this.#callNext(untilMs); calls++) {
      refuseLoop(calls);
      await othersRan();
    }
    this.#monotonicMs = Math.max(this.#monotonicMs, untilMs);
    await othersRan();
  }

  #callNext(untilMs: number): boolean {
    const timer = this.#timers.first;
    if (timer === undefined || timer.dueMs > untilMs) return false;
    this.#timers.remove(timer);
    this.#monotonicMs = Math.max(this.#monotonicMs, timer.dueMs);
    timer.callback();
    return true;
  }
}

interface ManualTimer extends HeapMember {
  readonly dueMs: number;
  readonly sequence: number;
  readonly callback: () => void;
}

function refuseLoop(calls: number): void {
  if (calls >= mostCalls) throw testingErrors.TIMER_LOOP({ calls });
}

/** Resolves after every promise callback that was pending, and those that they led to. */
function othersRan(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
