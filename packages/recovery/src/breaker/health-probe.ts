import { AsyncResource } from 'node:async_hooks';
import { type Clock, operate, type Timer } from '@sage-adk/core';
import { withTimeout } from '@sage-adk/core/deadline';
import type { BreakerHealth } from './options.ts';

export interface HealthListener {
  /** Enough passes in a row came. */
  onWell(): void;
  /** One more pass after that. */
  onStillWell(): void;
}

// A check belongs to no request, whichever made the breaker open.
const outside = new AsyncResource('sage-adk:breaker');

/** Asks a dependency that rests how it is, one check at a time. Each is a `health.check` operation. */
export class HealthProbe {
  readonly #dependency: string;
  readonly #health: Required<BreakerHealth>;
  readonly #clock: Clock;
  readonly #listener: HealthListener;
  #timer: Timer | undefined;
  #passes = 0;
  /** Counts starts and stops: the answer to a check from before says nothing. */
  #course = 0;
  #isClosed = false;

  constructor(dependency: string, health: Required<BreakerHealth>, clock: Clock, listener: HealthListener) {
    this.#dependency = dependency;
    this.#health = health;
    this.#clock = clock;
    this.#listener = listener;
  }

  start(): void {
    if (this.#isClosed) return;
    this.stop();
    this.#passes = 0;
    this.#schedule(this.#course);
  }

  stop(): void {
    this.#course++;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Stops for good. */
  close(): void {
    this.#isClosed = true;
    this.stop();
  }

  #schedule(course: number): void {
    this.#timer = outside.runInAsyncScope(() =>
      this.#clock.setTimer(() => void this.#check(course), this.#health.intervalMs),
    );
  }

  async #check(course: number): Promise<void> {
    const well = await this.#ask();
    if (course !== this.#course) return;
    this.#passes = well ? this.#passes + 1 : 0;
    if (this.#passes === this.#health.successes) this.#listener.onWell();
    else if (this.#passes > this.#health.successes) this.#listener.onStillWell();
    if (course === this.#course) this.#schedule(course);
  }

  async #ask(): Promise<boolean> {
    const { check, intervalMs } = this.#health;
    try {
      return await operate('health.check', { check: this.#dependency, critical: false }, async (operation) => {
        const well = await withTimeout(intervalMs, ({ signal }) => check(signal), {
          operation: 'health.check',
          clock: this.#clock,
        });
        operation.set({ status: well ? 'pass' : 'fail' });
        return well;
      });
    } catch {
      // A check that throws is a check that fails.
      return false;
    }
  }
}
