/**
 * Remembers at least the last `size` keys that were set, and at most twice as many.
 *
 * In two generations: removing the oldest key of a Map again and again makes it walk over all that were removed before.
 */
export class Recent<T> {
  readonly #size: number;
  #young: Map<string, T> = new Map();
  #old: Map<string, T> = new Map();

  constructor(size: number) {
    this.#size = size;
  }

  get(key: string): T | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: string, value: T): void {
    this.#young.set(key, value);
    if (this.#young.size < this.#size) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
