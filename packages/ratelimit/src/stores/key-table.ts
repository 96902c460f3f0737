/**
 * A bounded map from key to slot, the place of the key's state in arrays.
 *
 * A slot whose state counts no more is idle: its key is as good as unknown. A new key gets a fresh slot while half of them are
 * unused; then it takes over an idle one if one is near, else a fresh one, else, with `maxKeys` in use, the overflow slot that all further keys share. No timers, and no key that still counts is ever forgotten.
 *
 * Who spent how much of the overflow slot is not known. So a key that did begins, once it gets a slot of its own, with all that is used of the other; and where
 * reservations are alive in that, which cannot be counted twice, it stays there.
 *
 * A key that came back after it was idle is a regular. Regulars keep their slots while idle, up to half of the slots: a flood of keys that are seen once takes the
 * place of its own kind, and who comes now and then is not sent to the overflow slot by it.
 */
import type { Counter, Instant } from './counters/index.ts';
import { Sharers } from './sharers.ts';

/** Keys beyond `maxKeys` share this slot. */
export const overflowSlot = 0;

// Slots looked at for a new key: enough to meet an idle one soon, few enough for the hot path.
const probes = 16;

// Of one table.
const mostSharers = 10_000;

export class KeyTable {
  /** Slots that went from an idle key to a new one. */
  reclaimed = 0;
  /** What a key without a slot was told last that it would get. */
  given = overflowSlot;
  /** Whose state a key without a slot begins with. */
  start = overflowSlot;
  /** None where the overflow slot counts no more. */
  readonly #sharers: Sharers;
  /** What is kept at the slots. */
  readonly counters: Counter[] = [];
  readonly #maxKeys: number;
  readonly #half: number;
  readonly #now: Instant;
  readonly #slots = new Map<string, number>();
  /** Key of each slot in use; the overflow slot has none. */
  readonly #keys: (string | undefined)[] = [undefined];
  readonly #regulars: Marks;
  #hand = overflowSlot;
  /** Asked for last. The overflow slot has no key. */
  #last = overflowSlot;

  constructor(maxKeys: number, now: Instant) {
    this.#maxKeys = maxKeys;
    this.#half = maxKeys >> 1;
    this.#now = now;
    this.#regulars = new Marks(maxKeys);
    this.#sharers = new Sharers(Math.min(maxKeys, mostSharers));
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Whether nothing that is kept here counts any more. */
  get isIdle(): boolean {
    for (let slot = 0; slot < this.#keys.length; slot++) if (!this.#isIdle(slot)) return false;
    return true;
  }

  /** The slot that a key which has none would get. No state and no key's slot changes until {@link claim}. */
  slotForNew(key: string): number {
    if (this.#sharers.size > 0 && this.#isIdle(overflowSlot)) this.#sharers.clear();
    const shared = this.#isSharer(key);
    this.given = shared && this.#isAlive(overflowSlot) ? overflowSlot : this.#freeSlot();
    this.start = shared ? overflowSlot : this.given;
    return this.given;
  }

  /** The slot of a key that was given one before, if it still has any. */
  slotLater(slot: number, key: string): number | undefined {
    return slot === overflowSlot || this.#keys[slot] === key ? slot : this.slotOf(key);
  }

  /** The slot of a key that has one. */
  slotOf(key: string): number | undefined {
    // Who calls often calls in a row.
    return key === this.#keys[this.#last] ? this.#last : this.#look(key);
  }

  /**
   * Makes a slot that {@link slotForNew} gave the key's own. Called before its state changes.
   *
   * @param level what is used of the slot by one of the counters: 0 is the sign to ask all of them whether it was idle.
   */
  claim(slot: number, key: string, level: number): void {
    if (slot === overflowSlot) {
      this.#sharers.add(key);
      return;
    }
    const owner = this.#keys[slot];
    if (owner === key) {
      if (level === 0 && !this.#regulars.has(slot) && this.#isIdle(slot)) this.#regulars.add(slot);
      return;
    }
    if (owner !== undefined) {
      this.#slots.delete(owner);
      this.reclaimed++;
      for (const counter of this.counters) counter.forget(slot);
    }
    this.#slots.set(key, slot);
    this.#keys[slot] = key;
    if (this.#isSharer(key)) for (const counter of this.counters) counter.copy(overflowSlot, slot);
  }

  /** {@link claim} for a key that has the slot and was idle. */
  cameBack(slot: number): void {
    this.#regulars.add(slot);
  }

  /** Keys in use with their slots. */
  entries(): IterableIterator<[string, number]> {
    return this.#slots.entries();
  }

  /** Key of each slot. */
  keys(): readonly (string | undefined)[] {
    return this.#keys;
  }

  #look(key: string): number | undefined {
    const slot = this.#slots.get(key);
    if (slot !== undefined) this.#last = slot;
    return slot;
  }

  #isSharer(key: string): boolean {
    return this.#sharers.size > 0 && this.#sharers.has(key);
  }

  #freeSlot(): number {
    const { size } = this.#slots;
    const idle = size < this.#half ? undefined : this.#idleSlot();
    return idle ?? (size < this.#maxKeys ? this.#keys.length : overflowSlot);
  }

  #idleSlot(): number | undefined {
    const last = this.#keys.length - 1;
    for (let n = Math.min(probes, last); n > 0; n--) {
      this.#hand = this.#hand < last ? this.#hand + 1 : 1;
      if (!this.#isIdle(this.#hand)) continue;
      if (!this.#regulars.has(this.#hand)) return this.#hand;
      // With too many of them the hand makes it a stranger again; who does not come back before it has gone round has to go.
      if (this.#regulars.size > this.#half) this.#regulars.delete(this.#hand);
    }
    return undefined;
  }

  /** Whether reservations count there that must come back. */
  #isAlive(slot: number): boolean {
    return this.counters.some((counter) => !counter.isCopied && !counter.isIdle(slot, this.#now));
  }

  #isIdle(slot: number): boolean {
    for (const counter of this.counters) if (!counter.isIdle(slot, this.#now)) return false;
    return true;
  }
}

/** A set of slots: one bit for each. */
class Marks {
  size = 0;
  readonly #most: number;
  #bits = new Uint32Array(4);

  constructor(maxKeys: number) {
    this.#most = (maxKeys >>> 5) + 1;
  }

  has(slot: number): boolean {
    return ((this.#bits[slot >>> 5] ?? 0) & (1 << slot)) !== 0;
  }

  add(slot: number): void {
    if (this.has(slot)) return;
    const index = slot >>> 5;
    if (index >= this.#bits.length) {
      const grown = new Uint32Array(Math.min(Math.max(index + 1, this.#bits.length * 2), this.#most));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[index] = (this.#bits[index] ?? 0) | (1 << slot);
    this.size++;
  }

  delete(slot: number): void {
    if (!this.has(slot)) return;
    const index = slot >>> 5;
    this.#bits[index] = (this.#bits[index] ?? 0) & ~(1 << slot);
    this.size--;
  }
}
