import {
  type Bucket,
  bucketDelayUs,
  bucketOver,
  bucketRemaining,
  bucketResetUs,
  type BucketState,
  bucketWaitUs,
  drained,
  drainTo,
  freshBucket,
  holdInBucket,
  reweigh,
  settleBucket,
  spendAtOnce,
  spendFromBucket,
} from '../../strategies/bucket.ts';
import type { CompiledStrategy } from '../../strategies/strategy.ts';
import { Columns } from './columns.ts';
import { consumeWith, type Counter, type Holds, type Instant, type Verdict } from './counter.ts';

/** Debt, its time and since when it is owed. */
const plain = 3;
/** With `debt - solid` and `held`, once something was reserved. */
const reserved = 5;

export class BucketCounter implements Counter {
  readonly isCopied = true;
  #bucket: Bucket;
  #columns: Columns;
  readonly #state: BucketState = freshBucket();

  constructor(bucket: Bucket, maxKeys: number) {
    this.#bucket = bucket;
    this.#columns = new Columns(plain, maxKeys);
  }

  load(slot: number, strategy: CompiledStrategy, { steadyUs }: Instant): void {
    if (strategy !== this.#bucket) this.#change(strategy as Bucket);
    this.#read(slot);
    drainTo(this.#bucket, this.#state, steadyUs);
  }

  save(slot: number): void {
    const { debt, solid, held, atUs, sinceUs } = this.#state;
    if (held > 0 && this.#columns.width === plain) this.#columns = this.#columns.widened(reserved);
    const numbers = this.#columns.reach(slot);
    const { width } = this.#columns;
    const at = slot * width;
    numbers[at] = debt;
    numbers[at + 1] = atUs;
    numbers[at + 2] = sinceUs;
    if (width === plain) return;
    numbers[at + 3] = debt - solid;
    numbers[at + 4] = held;
  }

  waitUs(cost: number, maxWaitUs: number): number {
    return bucketWaitUs(this.#bucket, this.#state, cost, maxWaitUs);
  }

  delayUs(cost: number): number {
    return bucketDelayUs(this.#bucket, this.#state, cost);
  }

  look(slot: number, strategy: CompiledStrategy, cost: number, maxWaitUs: number, now: Instant): number {
    this.load(slot, strategy, now);
    return this.waitUs(cost, maxWaitUs);
  }

  spend(cost: number): void {
    spendFromBucket(this.#bucket, this.#state, cost);
  }

  hold(held: Holds): void {
    held.mark = holdInBucket(this.#bucket, this.#state, held.cost);
    this.save(held.slot);
    held.remaining = this.remaining();
    held.resetAfterUs = this.resetUs();
  }

  settle(slot: number, strategy: CompiledStrategy, held: number, mark: number, used: number, now: Instant): number {
    const bucket = this.#bucket;
    this.load(slot, bucket, now);
    settleBucket(bucket, this.#state, held, mark, used);
    this.save(slot);
    if (strategy === bucket) return this.over();
    return Math.max(0, Math.ceil(this.#state.debt / bucket.weight) - (strategy as Bucket).burst);
  }

  level(): number {
    return this.#state.debt;
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

  consume(slot: number, strategy: CompiledStrategy, cost: number, now: Instant, verdict: Verdict): boolean {
    const bucket = this.#bucket;
    const { numbers, width } = this.#columns;
    const at = slot * plain;
    if (strategy !== bucket || width !== plain || at >= numbers.length) {
      return consumeWith(this, slot, strategy, cost, now, verdict);
    }
    // Where nothing is reserved, nothing needs to be loaded: `solid` is `debt`, and the compiler keeps all numbers in registers.
    return spendAtOnce(bucket, numbers, at, cost, now.steadyUs, verdict);
  }

  isIdle(slot: number, { steadyUs }: Instant): boolean {
    const { numbers, width } = this.#columns;
    return drained(numbers[slot * width] ?? 0, numbers[slot * width + 1] ?? 0, this.#bucket.drain, steadyUs) === 0;
  }

  forget(slot: number): void {
    this.#columns.clear(slot);
  }

  copy(from: number, to: number): void {
    this.#columns.copy(from, to);
  }

  image(): unknown {
    return this.#columns.numbers.slice();
  }

  #read(slot: number): void {
    const { numbers, width } = this.#columns;
    const state = this.#state;
    const at = slot * width;
    state.debt = state.solid = numbers[at] ?? 0;
    state.atUs = numbers[at + 1] ?? 0;
    state.sinceUs = numbers[at + 2] ?? 0;
    state.held = 0;
    if (width === plain) return;
    state.solid -= numbers[at + 3] ?? 0;
    state.held = numbers[at + 4] ?? 0;
  }

  #change(bucket: Bucket): void {
    const from = this.#bucket.weight;
    this.#bucket = bucket;
    if (from === bucket.weight) return;
    for (let slot = 0; slot < this.#columns.numbers.length / this.#columns.width; slot++) {
      this.#read(slot);
      reweigh(this.#state, from, bucket.weight);
      this.save(slot);
    }
  }
}
