/**
 * A bounded map from key to slot, the place of the key's state in arrays.
 *
 * A slot whose state counts no more is idle: its key is as good as unknown. A new key takes over an idle slot if one is near, else a fresh one, else, with
 * `maxKeys` in use, the overflow slot that all further keys share. No timers, and no key that still counts is ever forgotten.
 */
import type { Counter, Instant } from './counters/index.ts';

/** Keys beyond `maxKeys` share this slot. */
export const overflowSlot = 0;

// Slots looked at for a new key: enough to meet an idle one soon, few enough for the hot path.
const probes = 16;

export class KeyTable {
  /** Slots that went from an idle key to a new one. */
  reclaimed = 0;
  /** What is kept at the slots. */
  readonly counters: Counter[] = [];
  readonly #maxKeys: number;
  readonly #now: Instant;
  readonly #slots = new Map<string, number>();
  /** Key of each slot in use; the overflow slot has none. */
  readonly #keys: (string | undefined)[] = [undefined];
  #hand = overflowSlot;

  constructor(maxKeys: number, now: Instant) {
    this.#maxKeys = maxKeys;
    this.#now = now;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** The slot of a key, or the one it would get. Nothing changes until {@link claim}. */
  find(key: string): number {
    return this.#slots.get(key) ?? this.#idleSlot() ?? (this.#isFull ? overflowSlot : this.#keys.length);
  }

  /** The slot of a key that has one. */
  slotOf(key: string): number | undefined {
    return this.#slots.get(key);
  }

  /** Makes a slot that {@link find} gave the key's own. */
  claim(slot: number, key: string): void {
    if (slot === overflowSlot) return;
    const owner = this.#keys[slot];
    if (owner === key) return;
    if (owner !== undefined) {
      this.#slots.delete(owner);
      this.reclaimed++;
      for (const counter of this.counters) counter.forget(slot);
    }
    this.#slots.set(key, slot);
    this.#keys[slot] = key;
  }

  /** Keys in use with their slots. */
  entries(): IterableIterator<[string, number]> {
    return this.#slots.entries();
  }

  /** Key of each slot. */
  keys(): readonly (string | undefined)[] {
    return this.#keys;
  }

  get #isFull(): boolean {
    return this.#slots.size >= this.#maxKeys;
  }

  #idleSlot(): number | undefined {
    const last = this.#keys.length - 1;
    for (let n = Math.min(probes, last); n > 0; n--) {
      this.#hand = this.#hand < last ? this.#hand + 1 : 1;
      if (this.#isIdle(this.#hand)) return this.#hand;
    }
    return undefined;
  }

  #isIdle(slot: number): boolean {
    for (const counter of this.counters) if (!counter.isIdle(slot, this.#now)) return false;
    return true;
  }
}
