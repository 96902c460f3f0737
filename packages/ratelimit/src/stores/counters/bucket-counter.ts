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
} from '../../strategies/bucket.ts';
import type { CompiledStrategy } from '../../strategies/strategy.ts';
import { Columns } from './columns.ts';
import type { Counter, Instant } from './counter.ts';

export class BucketCounter implements Counter {
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
