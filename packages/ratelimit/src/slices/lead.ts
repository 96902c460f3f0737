const least = 0.5;
const most = 0.8;

/**
 * How long before the end of a slice the next one is fetched: half of the time that it may be spent, and more where the store was slower than that. Grows
 * five hundred times as fast as it shrinks, for so rarely may somebody wait because a slice comes late.
 */
export class Lead {
  #part = least;

  /** Of the time that a slice may be spent. */
  get part(): number {
    return this.#part;
  }

  /** Of each slice that comes: whether it was asked for before the last one ended, came after that, and somebody waited. */
  learn(isLate: boolean): void {
    this.#part = isLate ? Math.min(most, this.#part + 0.1) : Math.max(least, this.#part - 0.000_2);
  }
}
