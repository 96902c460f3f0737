import type { Clock } from '@sage-adk/core';

/** Whether a store is worth waiting for: after some failures in a row it is away, and one call at a time asks whether it is back. */
export class StoreHealth {
  readonly #failures: number;
  readonly #probeMs: number;
  readonly #clock: Clock;
  #inRow = 0;
  #nextProbeMs = 0;

  constructor(failures: number, probeMs: number, clock: Clock) {
    this.#failures = failures;
    this.#probeMs = probeMs;
    this.#clock = clock;
  }

  get isAway(): boolean {
    return this.#inRow >= this.#failures;
  }

  /** How long until somebody asks again. */
  get untilProbeMs(): number {
    return this.isAway ? Math.max(0, this.#nextProbeMs - this.#clock.monotonicMs()) : this.#probeMs;
  }

  /** Whether to ask the store now. While it is away, a yes is one probe, and the next is due after a while. */
  mayAsk(): boolean {
    if (!this.isAway) return true;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#nextProbeMs) return false;
    this.#nextProbeMs = nowMs + this.#probeMs;
    return true;
  }

  succeeded(): void {
    this.#inRow = 0;
  }

  failed(): void {
    this.#inRow++;
    this.#nextProbeMs = this.#clock.monotonicMs() + this.#probeMs;
  }
}
