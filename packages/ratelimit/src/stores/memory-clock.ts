import type { Clock } from '@sage-adk/core';
import type { Instant } from './counters/index.ts';

// A clock costs more to read than a decision to make.
const wallReadingUs = 1_000_000;

/** One instant at a time, read once for each call of the store. The wall clock is read about once a second, and goes on with the steady one in between. */
export class MemoryClock implements Instant {
  steadyUs = 0;
  readonly #clock: Clock;
  readonly #originMs: number;
  /** When the wall clock shall be read again. */
  #wallDueUs = Number.NEGATIVE_INFINITY;
  #wallAheadUs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#originMs = clock.now() - clock.monotonicMs();
    this.tick();
  }

  get wallUs(): number {
    return this.steadyUs + this.#wallAheadUs;
  }

  tick(): void {
    const steadyUs = Math.round((this.#originMs + this.#clock.monotonicMs()) * 1_000);
    this.steadyUs = steadyUs;
    if (steadyUs >= this.#wallDueUs) this.#readWall();
  }

  #readWall(): void {
    this.#wallDueUs = this.steadyUs + wallReadingUs;
    this.#wallAheadUs = Math.round(this.#clock.now() * 1_000) - this.steadyUs;
  }
}
