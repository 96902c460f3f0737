import type { Clock } from '@sage-adk/core';
import type { Instant } from './counters.ts';

/** One instant at a time, read once for each call of the store; the wall clock only where a rule asks for it. */
export class MemoryClock implements Instant {
  steadyUs = 0;
  readonly #clock: Clock;
  readonly #originMs: number;
  #wallUs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#originMs = clock.now() - clock.monotonicMs();
    this.tick();
  }

  get wallUs(): number {
    return (this.#wallUs ??= Math.round(this.#clock.now() * 1_000));
  }

  tick(): void {
    this.steadyUs = Math.round((this.#originMs + this.#clock.monotonicMs()) * 1_000);
    this.#wallUs = undefined;
  }
}
