/**
 * How the memory store keeps the state of one rule: the state of all its keys in flat arrays, by slot.
 *
 * A counter works on one slot at a time: `load` takes its state as of now, questions and changes go to that copy, `save` writes it. So a denial,
 * which doesn't save, changes no byte.
 */
import {
  type Bucket,
  bucketDelayUs,
  bucketOver,
  bucketRemaining,
  bucketResetUs,
  type BucketState,
  bucketWaitUs,
  drainTo,
  freshBucket,
  holdInBucket,
  reweigh,
  settleBucket,
  spendFromBucket,
} from '../strategies/bucket.ts';
import {
  type Sliding,
  type SlidingState,
  settleSliding,
  slidingResetUs,
  slidingWaitUs,
  spendFromSliding,
  usedIn,
} from '../strategies/sliding.ts';
import { type Slots, slotsRemaining, slotsResetUs, slotsWaitUs } from '../strategies/slots.ts';
import type { CompiledStrategy } from '../strategies/strategy.ts';
import {
  freshWindow,
  openWindow,
  settleWindow,
  type Span,
  spendFromWindow,
  type Window,
  windowRemaining,
  windowResetUs,
  windowWaitUs,
} from '../strategies/window.ts';

/** One instant on two clocks, in microseconds. */
export interface Instant {
  /** Never steps. Starts as the time since the epoch. */
  readonly steadyUs: number;
  /** What windows that lie on the calendar go by. */
  readonly wallUs: number;
}

export interface Counter {
  /** Takes the state of a slot as of now. The strategy may differ from the last one in its limit. */
  load(slot: number, strategy: CompiledStrategy, now: Instant): void;
  /** Writes the state that was loaded, with its changes. */
  save(slot: number): void;
  waitUs(cost: number, maxWaitUs: number): number;
  /** Asked before the cost is added. */
  delayUs(cost: number): number;
  spend(cost: number): void;
  /** Returns the mark of what was added. */
  hold(cost: number): number;
  settle(held: number, mark: number, used: number): void;
  /** Units that may be spent now. */
  remaining(): number;
  resetUs(): number;
  /** Units beyond the limit. */
  over(): number;
  isIdle(slot: number, now: Instant): boolean;
  forget(slot: number): void;
  /** A copy of all state. */
  image(): unknown;
}

/** Makes the counter of a strategy, for slots up to `maxKeys`. */
export function createCounter(strategy: CompiledStrategy, maxKeys: number): Counter {
  switch (strategy.kind) {
    case 'bucket':
      return new BucketCounter(strategy, maxKeys);
    case 'window':
      return new WindowCounter(strategy, maxKeys);
    case 'sliding':
      return new SlidingCounter(strategy);
    case 'slots':
      return new SlotsCounter(strategy, maxKeys);
  }
}

/** Numbers for each slot, in one array that grows by doubling. */
class Columns {
  numbers: Float64Array;
  readonly width: number;
  readonly #most: number;

  constructor(width: number, maxKeys: number) {
    this.width = width;
    this.#most = width * (maxKeys + 1);
    this.numbers = new Float64Array(Math.min(width * 16, this.#most));
  }

  reach(slot: number): void {
    const needed = (slot + 1) * this.width;
    if (needed <= this.numbers.length) return;
    const grown = new Float64Array(Math.min(Math.max(needed, this.numbers.length * 2), this.#most));
    grown.set(this.numbers);
    this.numbers = grown;
  }

  clear(slot: number): void {
    this.numbers.fill(0, slot * this.width, (slot + 1) * this.width);
  }
}

class BucketCounter implements Counter {
  #bucket: Bucket;
  readonly #columns: Columns;
  readonly #state: BucketState = freshBucket();

  constructor(bucket: Bucket, maxKeys: number) {
    this.#bucket = bucket;
    this.#columns = new Columns(5, maxKeys);
  }

  load(slot: number, strategy: CompiledStrategy, { steadyUs }: Instant): void {
    if (strategy !== this.#bucket) this.#change(strategy as Bucket);
    this.#read(slot);
    drainTo(this.#bucket, this.#state, steadyUs);
  }

  save(slot: number): void {
    this.#columns.reach(slot);
    const { numbers } = this.#columns;
    const at = slot * 5;
    numbers[at] = this.#state.debt;
    numbers[at + 1] = this.#state.solid;
    numbers[at + 2] = this.#state.held;
    numbers[at + 3] = this.#state.atUs;
    numbers[at + 4] = this.#state.sinceUs;
  }

  waitUs(cost: number, maxWaitUs: number): number {
    return bucketWaitUs(this.#bucket, this.#state, cost, maxWaitUs);
  }

  delayUs(cost: number): number {
    return bucketDelayUs(this.#bucket, this.#state, cost);
  }

  spend(cost: number): void {
    spendFromBucket(this.#bucket, this.#state, cost);
  }

  hold(cost: number): number {
    return holdInBucket(this.#bucket, this.#state, cost);
  }

  settle(held: number, mark: number, used: number): void {
    settleBucket(this.#bucket, this.#state, held, mark, used);
  }

  remaining(): number {
    return bucketRemaining(this.#bucket, this.#state);
  }

  resetUs(): number {
    return bucketResetUs(this.#bucket, this.#state);
  }

  over(): number {
    return bucketOver(this.#bucket, this.#state);
  }

  isIdle(slot: number, { steadyUs }: Instant): boolean {
    this.#read(slot);
    drainTo(this.#bucket, this.#state, steadyUs);
    return this.#state.debt === 0;
  }

  forget(slot: number): void {
    this.#columns.clear(slot);
  }

  image(): unknown {
    return this.#columns.numbers.slice();
  }

  #read(slot: number): void {
    const { numbers } = this.#columns;
    const at = slot * 5;
    this.#state.debt = numbers[at] ?? 0;
    this.#state.solid = numbers[at + 1] ?? 0;
    this.#state.held = numbers[at + 2] ?? 0;
    this.#state.atUs = numbers[at + 3] ?? 0;
    this.#state.sinceUs = numbers[at + 4] ?? 0;
  }

  #change(bucket: Bucket): void {
    const from = this.#bucket.weight;
    this.#bucket = bucket;
    if (from === bucket.weight) return;
    for (let slot = 0; slot < this.#columns.numbers.length / 5; slot++) {
      this.#read(slot);
      reweigh(this.#state, from, bucket.weight);
      this.save(slot);
    }
  }
}

class WindowCounter implements Counter {
  #window: Window;
  #span: Span = { startUs: 0, endUs: 0 };
  #nowUs = 0;
  readonly #columns: Columns;
  readonly #state = freshWindow();

  constructor(window: Window, maxKeys: number) {
    this.#window = window;
    this.#columns = new Columns(2, maxKeys);
  }

  load(slot: number, strategy: CompiledStrategy, now: Instant): void {
    this.#window = strategy as Window;
    this.#open(slot, now);
  }

  save(slot: number): void {
    this.#columns.reach(slot);
    this.#columns.numbers[slot * 2] = this.#state.startUs;
    this.#columns.numbers[slot * 2 + 1] = this.#state.used;
  }

  waitUs(cost: number): number {
    return windowWaitUs(this.#window, this.#state, cost, this.#span, this.#nowUs);
  }

  delayUs(): number {
    return 0;
  }

  spend(cost: number): void {
    spendFromWindow(this.#state, cost);
  }

  hold(cost: number): number {
    return spendFromWindow(this.#state, cost);
  }

  settle(held: number, mark: number, used: number): void {
    settleWindow(this.#state, held, mark, used);
  }

  remaining(): number {
    return windowRemaining(this.#window, this.#state);
  }

  resetUs(): number {
    return windowResetUs(this.#state, this.#span, this.#nowUs);
  }

  over(): number {
    return Math.max(0, this.#state.used - this.#window.limit);
  }

  isIdle(slot: number, now: Instant): boolean {
    this.#open(slot, now);
    return this.#state.used === 0;
  }

  forget(slot: number): void {
    this.#columns.clear(slot);
  }

  image(): unknown {
    return this.#columns.numbers.slice();
  }

  #open(slot: number, { steadyUs, wallUs }: Instant): void {
    const { anchored, calendar } = this.#window;
    this.#nowUs = anchored ? steadyUs : wallUs;
    this.#state.startUs = this.#columns.numbers[slot * 2] ?? 0;
    this.#state.used = this.#columns.numbers[slot * 2 + 1] ?? 0;
    this.#span = openWindow(this.#window, this.#state, this.#nowUs, calendar?.boundariesAround(wallUs / 1_000));
  }
}

class SlidingCounter implements Counter {
  #sliding: Sliding;
  #nowUs = 0;
  #state: SlidingState = [];
  readonly #states: (SlidingState | undefined)[] = [];

  constructor(sliding: Sliding) {
    this.#sliding = sliding;
  }

  load(slot: number, strategy: CompiledStrategy, { steadyUs }: Instant): void {
    this.#sliding = strategy as Sliding;
    this.#nowUs = steadyUs;
    this.#state = this.#states[slot] ?? [];
  }

  save(slot: number): void {
    this.#states[slot] = this.#state.length === 0 ? undefined : this.#state;
  }

  waitUs(cost: number): number {
    return slidingWaitUs(this.#sliding, this.#state, cost, this.#nowUs);
  }

  delayUs(): number {
    return 0;
  }

  spend(cost: number): void {
    spendFromSliding(this.#sliding, this.#state, cost, this.#nowUs);
  }

  hold(cost: number): number {
    return spendFromSliding(this.#sliding, this.#state, cost, this.#nowUs);
  }

  settle(held: number, mark: number, used: number): void {
    settleSliding(this.#sliding, this.#state, held, mark, used, this.#nowUs);
  }

  remaining(): number {
    return Math.max(0, this.#sliding.limit - usedIn(this.#sliding, this.#state, this.#nowUs));
  }

  resetUs(): number {
    return slidingResetUs(this.#sliding, this.#state, this.#nowUs);
  }

  over(): number {
    return Math.max(0, usedIn(this.#sliding, this.#state, this.#nowUs) - this.#sliding.limit);
  }

  isIdle(slot: number, { steadyUs }: Instant): boolean {
    return slidingResetUs(this.#sliding, this.#states[slot] ?? [], steadyUs) === 0;
  }

  forget(slot: number): void {
    this.#states[slot] = undefined;
  }

  image(): unknown {
    return structuredClone(this.#states);
  }
}

class SlotsCounter implements Counter {
  #slots: Slots;
  #active = 0;
  readonly #columns: Columns;

  constructor(slots: Slots, maxKeys: number) {
    this.#slots = slots;
    this.#columns = new Columns(1, maxKeys);
  }

  load(slot: number, strategy: CompiledStrategy): void {
    this.#slots = strategy as Slots;
    this.#active = this.#columns.numbers[slot] ?? 0;
  }

  save(slot: number): void {
    this.#columns.reach(slot);
    this.#columns.numbers[slot] = this.#active;
  }

  waitUs(cost: number): number {
    return slotsWaitUs(this.#slots, this.#active, cost);
  }

  delayUs(): number {
    return 0;
  }

  /** A slot is only ever held. */
  spend(): void {}

  hold(cost: number): number {
    this.#active += cost;
    return 0;
  }

  settle(held: number): void {
    this.#active = Math.max(0, this.#active - held);
  }

  remaining(): number {
    return slotsRemaining(this.#slots, this.#active);
  }

  resetUs(): number {
    return slotsResetUs(this.#active);
  }

  over(): number {
    return 0;
  }

  isIdle(slot: number): boolean {
    return (this.#columns.numbers[slot] ?? 0) === 0;
  }

  /** Slots are alive: they come back by settlement or expiry. */
  forget(): void {}

  image(): unknown {
    return this.#columns.numbers.slice();
  }
}
