/**
 * A bounded map from key to a few timestamps, held in one flat array that grows by doubling.
 *
 * A slot whose timestamps have all passed is idle: its key is as good as unknown. A new key takes over an idle slot if one is near, else a fresh one,
 * else, with `maxKeys` in use, the overflow slot that all further keys share. No timers, and no key that still counts is ever forgotten.
 */
export interface KeyTableOptions {
  /** Timestamps per key. */
  readonly width: number;
  readonly maxKeys: number;
}

/** A copy of a table's state. */
export interface TableImage {
  readonly keys: readonly (string | undefined)[];
  readonly times: Float64Array;
}

/** Keys beyond `maxKeys` share this slot. */
export const overflowSlot = 0;

const firstSlots = 16;
// Slots looked at for a new key: enough to meet an idle one soon, few enough for the hot path.
const probes = 16;

export class KeyTable {
  /** Slots that went from an idle key to a new one. */
  reclaimed = 0;
  /** Timestamps in microseconds; those of slot `s` begin at `s * width`. */
  times: Float64Array;
  readonly #width: number;
  readonly #maxKeys: number;
  readonly #slots = new Map<string, number>();
  /** Key of each slot in use; the overflow slot has none. */
  readonly #keys: (string | undefined)[] = [undefined];
  #hand = overflowSlot;

  constructor({ width, maxKeys }: KeyTableOptions) {
    this.#width = width;
    this.#maxKeys = maxKeys;
    this.times = new Float64Array(width * Math.min(firstSlots, maxKeys + 1));
  }

  get size(): number {
    return this.#slots.size;
  }

  /** The slot of a key, or the one it would get. Nothing changes until {@link claim}. */
  find(key: string, nowUs: number): number {
    const slot = this.#slots.get(key) ?? this.#idleSlot(nowUs);
    if (slot !== undefined) return slot;
    return this.size < this.#maxKeys ? this.#keys.length : overflowSlot;
  }

  /** Makes a slot that {@link find} gave the key's own, with room for its timestamps. */
  claim(slot: number, key: string): void {
    if (slot === overflowSlot) return;
    const owner = this.#keys[slot];
    if (owner === key) return;
    if (owner !== undefined) {
      this.#slots.delete(owner);
      this.reclaimed++;
    }
    this.#slots.set(key, slot);
    this.#keys[slot] = key;
    if ((slot + 1) * this.#width > this.times.length) this.#grow();
  }

  /** Sets the timestamps of a key back; its slot becomes idle. */
  forget(key: string): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined) this.times.fill(0, slot * this.#width, (slot + 1) * this.#width);
  }

  /** Keys in use with their slots. */
  entries(): IterableIterator<[string, number]> {
    return this.#slots.entries();
  }

  image(): TableImage {
    return { keys: [...this.#keys], times: this.times.slice() };
  }

  clear(): void {
    this.#slots.clear();
    this.#keys.length = 1;
    this.times = new Float64Array(this.#width * Math.min(firstSlots, this.#maxKeys + 1));
  }

  #idleSlot(nowUs: number): number | undefined {
    const last = this.#keys.length - 1;
    for (let n = Math.min(probes, last); n > 0; n--) {
      this.#hand = this.#hand < last ? this.#hand + 1 : 1;
      if (this.#isIdle(this.#hand, nowUs)) return this.#hand;
    }
    return undefined;
  }

  #isIdle(slot: number, nowUs: number): boolean {
    for (let i = slot * this.#width; i < (slot + 1) * this.#width; i++) {
      if ((this.times[i] ?? 0) > nowUs) return false;
    }
    return true;
  }

  #grow(): void {
    const most = this.#width * (this.#maxKeys + 1);
    const grown = new Float64Array(Math.min(this.times.length * 2, most));
    grown.set(this.times);
    this.times = grown;
  }
}
