/** A thing that is over at some time. */
export interface Expiring {
  expiresUs: number;
  /** Its place; -1 while it is in no heap. */
  heapIndex: number;
}

/** Things by the time at which they are over: a binary heap. */
export class Expiries<T extends Expiring> {
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The thing that is over first. */
  get first(): T | undefined {
    return this.#heap[0];
  }

  /** In no order that says anything. */
  all(): readonly T[] {
    return this.#heap;
  }

  add(thing: T): void {
    this.#rise(thing, this.#heap.length);
  }

  remove(thing: T): void {
    const index = thing.heapIndex;
    const last = this.#heap.pop();
    thing.heapIndex = -1;
    if (last !== undefined && last !== thing) this.#place(last, index);
  }

  clear(): void {
    for (const thing of this.#heap) thing.heapIndex = -1;
    this.#heap.length = 0;
  }

  /** Finds the place of a thing whose time changed. */
  moved(thing: T): void {
    this.#place(thing, thing.heapIndex);
  }

  #place(thing: T, index: number): void {
    const parent = this.#heap[(index - 1) >> 1];
    if (index > 0 && parent !== undefined && thing.expiresUs < parent.expiresUs) this.#rise(thing, index);
    else this.#sink(thing, index);
  }

  #rise(thing: T, from: number): void {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || parent.expiresUs <= thing.expiresUs) break;
      this.#put(parent, index);
      index = above;
    }
    this.#put(thing, index);
  }

  #sink(thing: T, from: number): void {
    let index = from;
    for (;;) {
      const left = this.#heap[2 * index + 1];
      const right = this.#heap[2 * index + 2];
      if (left === undefined) break;
      const child = right !== undefined && right.expiresUs < left.expiresUs ? right : left;
      if (child.expiresUs >= thing.expiresUs) break;
      const below = child.heapIndex;
      this.#put(child, index);
      index = below;
    }
    this.#put(thing, index);
  }

  #put(thing: T, index: number): void {
    this.#heap[index] = thing;
    thing.heapIndex = index;
  }
}
