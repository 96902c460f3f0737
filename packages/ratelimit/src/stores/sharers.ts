/** Keys that spent from a state which several share: while that counts, any of them may have spent all of it. With too many to be told apart it is all keys. */
export class Sharers {
  readonly #most: number;
  readonly #keys = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#keys.size;
  }

  add(key: string): void {
    if (this.#keys.size < this.#most) this.#keys.add(key);
  }

  has(key: string): boolean {
    return this.#keys.size >= this.#most || this.#keys.has(key);
  }

  clear(): void {
    this.#keys.clear();
  }
}
