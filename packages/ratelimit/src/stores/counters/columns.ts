/** Numbers for each slot, in one array that grows by doubling. */
export class Columns {
  numbers: Float64Array;
  readonly width: number;
  readonly #maxKeys: number;
  /** There is room for those below. */
  #slots: number;

  constructor(width: number, maxKeys: number, slots = 16) {
    this.width = width;
    this.#maxKeys = maxKeys;
    this.#slots = Math.min(slots, maxKeys + 1);
    this.numbers = new Float64Array(width * this.#slots);
  }

  /** Makes room for a slot. Returns the numbers, which may be others than before. */
  reach(slot: number): Float64Array {
    if (slot >= this.#slots) this.#grow(slot);
    return this.numbers;
  }

  /** The same, with more numbers for each slot. */
  widened(width: number): Columns {
    const wider = new Columns(width, this.#maxKeys, this.#slots);
    this.numbers.forEach((number, at) => {
      wider.numbers[Math.floor(at / this.width) * width + (at % this.width)] = number;
    });
    return wider;
  }

  copy(from: number, to: number): void {
    this.reach(to).copyWithin(to * this.width, from * this.width, (from + 1) * this.width);
  }

  clear(slot: number): void {
    this.numbers.fill(0, slot * this.width, (slot + 1) * this.width);
  }

  #grow(slot: number): void {
    this.#slots = Math.min(Math.max(slot + 1, this.#slots * 2), this.#maxKeys + 1);
    const grown = new Float64Array(this.#slots * this.width);
    grown.set(this.numbers);
    this.numbers = grown;
  }
}
