/**
 * How many units the next slice is to hold: half as many again as are spent until the one after it comes. That takes as long as is planned, or as long as this
 * time where the store is slower. From one slice to the next at most twice as many, or half as many.
 */
export class Demand {
  #size = 1;
  #spent = 0;
  #sinceMs = 0;

  /** What the last slice was to hold. */
  get size(): number {
    return this.#size;
  }

  spend(units: number): void {
    this.#spent += units;
  }

  /**
   * Of the slice that is fetched now.
   *
   * @param dueMs after which the one after it is to be fetched.
   * @param most at least 1.
   */
  sizeNext(nowMs: number, dueMs: number, most: number): number {
    const tookMs = Math.max(0.001, nowMs - this.#sinceMs);
    const expected = (this.#spent * Math.max(dueMs, tookMs)) / tookMs;
    this.#spent = 0;
    this.#sinceMs = nowMs;
    const wanted = Math.max(this.#size / 2, Math.min(1.5 * expected, this.#size * 2));
    this.#size = Math.min(most, Math.max(1, Math.ceil(wanted)));
    return this.#size;
  }
}
