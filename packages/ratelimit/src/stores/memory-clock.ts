import type { Clock } from '@sage-adk/core';
import type { Instant } from './counters/index.ts';

// A clock costs more to read than a decision to make.
const wallReadingUs = 1_000_000;

/** One instant at a time, read once for each call of the store. The wall clock is read about once a second, and goes on with the steady one in between. */
export class MemoryClock implements Instant {
  steadyUs = 0;
  wallUs = 0;
  readonly #clock: Clock;
  readonly #originMs: number;
  #wallReadUs = Number.NEGATIVE_INFINITY;
  #wallAheadUs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#originMs = clock.now() - clock.monotonicMs();
    this.tick();
  }

  tick(): void {
    this.steadyUs = Math.round((this.#originMs + this.#clock.monotonicMs()) * 1_000);
    if (this.steadyUs - this.#wallReadUs >= wallReadingUs) {
      this.#wallReadUs = this.steadyUs;
      this.#wallAheadUs = Math.round(this.#clock.now() * 1_000) - this.steadyUs;
    }
    this.wallUs = this.steadyUs + this.#wallAheadUs;
  }
}
