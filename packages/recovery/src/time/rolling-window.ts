/**
 * Counts of the last while, in a ring of buckets.
 *
 * Time moves the ring, not events: after an idle hour nothing of the hour before is left. What falls out leaves a bucket at a time, so a total covers
 * between `windowMs` less one bucket and `windowMs`.
 */
export class RollingWindow {
  readonly #columns: number;
  readonly #buckets: number;
  readonly #bucketMs: number;
  readonly #counts: Float64Array;
  readonly #totals: Float64Array;
  /** Number of the newest bucket since the clock's origin. */
  #newest = Number.NEGATIVE_INFINITY;

  /** @param columns things that are counted beside each other */
  constructor(columns: number, windowMs: number, buckets: number) {
    this.#columns = columns;
    this.#buckets = buckets;
    this.#bucketMs = windowMs / buckets;
    this.#counts = new Float64Array(columns * buckets);
    this.#totals = new Float64Array(columns);
  }

  /** @param nowMs monotonic; a time before the newest counts as the newest */
  add(column: number, nowMs: number): void {
    this.#rotate(nowMs);
    const index = this.#place(this.#newest) + column;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#totals[column] = (this.#totals[column] ?? 0) + 1;
  }

  total(column: number, nowMs: number): number {
    this.#rotate(nowMs);
    return this.#totals[column] ?? 0;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#totals.fill(0);
  }

  #rotate(nowMs: number): void {
    const newest = Math.floor(nowMs / this.#bucketMs);
    const steps = newest - this.#newest;
    if (steps <= 0) return;
    if (steps >= this.#buckets) this.clear();
    else for (let bucket = this.#newest + 1; bucket <= newest; bucket++) this.#empty(bucket);
    this.#newest = newest;
  }

  /** Where the counts of a bucket begin. The clock's origin may lie ahead, and buckets before it are numbered below 0. */
  #place(bucket: number): number {
    const inRing = bucket % this.#buckets;
    return (inRing < 0 ? inRing + this.#buckets : inRing) * this.#columns;
  }

  #empty(bucket: number): void {
    for (let column = 0; column < this.#columns; column++) {
      const index = this.#place(bucket) + column;
      this.#totals[column] = (this.#totals[column] ?? 0) - (this.#counts[index] ?? 0);
      this.#counts[index] = 0;
    }
  }
}
