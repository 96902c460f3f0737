/**
 * How long a task takes, as a moving average, and from it when a full pool will have room again.
 */
export class DrainRate {
  #meanMs: number | undefined;

  /** Tells how long a task ran. */
  add(durationMs: number): void {
    this.#meanMs = this.#meanMs === undefined ? durationMs : this.#meanMs + weight * (durationMs - this.#meanMs);
  }

  /** Milliseconds until `waiting` tasks have begun where `concurrency` run at once; a second while nothing is known. */
  untilDrainedMs(waiting: number, concurrency: number): number {
    return this.#meanMs === undefined ? 1_000 : Math.max(1, (this.#meanMs * (waiting + 1)) / concurrency);
  }
}

const weight = 0.1;
