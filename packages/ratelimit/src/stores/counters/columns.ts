/** Numbers for each slot, in one array that grows by doubling. */
export class Columns {
  numbers: Float64Array;
  readonly width: number;
  readonly #most: number;

  constructor(width: number, maxKeys: number) {
    this.width = width;
    this.#most = width * (maxKeys + 1);
    this.numbers = new Float64Array(Math.min(width * 16, this.#most));
  }

  /** Makes room for a slot. Returns the numbers, which may be others than before. */
  reach(slot: number): Float64Array {
    const needed = (slot + 1) * this.width;
    if (needed <= this.numbers.length) return this.numbers;
    const grown = new Float64Array(Math.min(Math.max(needed, this.numbers.length * 2), this.#most));
    grown.set(this.numbers);
    this.numbers = grown;
    return grown;
  }

  clear(slot: number): void {
    this.numbers.fill(0, slot * this.width, (slot + 1) * this.width);
  }
}
