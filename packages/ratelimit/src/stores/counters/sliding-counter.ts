import {
  mostEntries,
  type Sliding,
  type SlidingState,
  settleSliding,
  slidingResetUs,
  slidingWaitUs,
  spendFromSliding,
  untilOverUs,
  usedIn,
} from '../../strategies/sliding.ts';
import type { CompiledStrategy } from '../../strategies/strategy.ts';
import { consumeWith, type Counter, type Holds, type Instant, type Verdict } from './counter.ts';
import { Lists } from './lists.ts';

export class SlidingCounter implements Counter {
  readonly isCopied = true;
  #sliding: Sliding;
  #nowUs = 0;
  /** Of what is loaded: a sum over the whole list, made once. */
  #used = 0;
  readonly #lists: Lists;
  /** The list of one slot, written back when another is loaded: who shares one key by all calls copies nothing. */
  readonly #state: SlidingState = [];
  #slot = 0;

  constructor(sliding: Sliding, maxKeys: number) {
    this.#sliding = sliding;
    this.#lists = new Lists(2 * mostEntries, maxKeys);
  }

  load(slot: number, strategy: CompiledStrategy, { steadyUs }: Instant): void {
    this.#read(slot, strategy as Sliding, steadyUs);
    this.#count();
  }

  /** What is loaded is what is kept. */
  save(): void {}

  waitUs(cost: number): number {
    return slidingWaitUs(this.#sliding, this.#state, cost, this.#nowUs, this.#used);
  }

  delayUs(): number {
    return 0;
  }

  look(slot: number, strategy: CompiledStrategy, cost: number, _maxWaitUs: number, now: Instant): number {
    this.load(slot, strategy, now);
    return this.waitUs(cost);
  }

  spend(cost: number): void {
    this.#spend(cost);
  }

  hold(held: Holds): void {
    held.mark = this.#spend(held.cost);
    held.remaining = this.remaining();
    held.resetAfterUs = this.resetUs();
  }

  settle(slot: number, strategy: CompiledStrategy, held: number, mark: number, used: number, now: Instant): number {
    this.#read(slot, strategy as Sliding, now.steadyUs);
    settleSliding(this.#sliding, this.#state, held, mark, used, this.#nowUs);
    this.#count();
    return this.over();
  }

  level(): number {
    return this.#used;
  }

  remaining(): number {
    return Math.max(0, this.#sliding.limit - this.#used);
  }

  resetUs(): number {
    return slidingResetUs(this.#sliding, this.#state, this.#nowUs);
  }

  over(): number {
    return Math.max(0, this.#used - this.#sliding.limit);
  }

  consume(slot: number, strategy: CompiledStrategy, cost: number, now: Instant, verdict: Verdict): boolean {
    return consumeWith(this, slot, strategy, cost, now, verdict);
  }

  isIdle(slot: number, { steadyUs }: Instant): boolean {
    const newestUs = slot === this.#slot ? this.#state.at(-2) : this.#lists.fromEnd(slot, 2);
    return untilOverUs(this.#sliding, newestUs, steadyUs) === 0;
  }

  forget(slot: number): void {
    if (slot === this.#slot) this.#state.length = 0;
    else this.#lists.write(slot, []);
  }

  copy(from: number, to: number): void {
    this.#turnTo(from);
    this.#lists.write(from, this.#state);
    this.#slot = to;
  }

  image(): unknown {
    this.#lists.write(this.#slot, this.#state);
    return this.#lists.image();
  }

  #read(slot: number, sliding: Sliding, nowUs: number): void {
    this.#sliding = sliding;
    this.#nowUs = nowUs;
    this.#turnTo(slot);
  }

  #turnTo(slot: number): void {
    if (slot === this.#slot) return;
    this.#lists.write(this.#slot, this.#state);
    this.#lists.read(slot, this.#state);
    this.#slot = slot;
  }

  #count(): void {
    this.#used = usedIn(this.#sliding, this.#state, this.#nowUs);
  }

  #spend(cost: number): number {
    const mark = spendFromSliding(this.#sliding, this.#state, cost, this.#nowUs, this.#used);
    this.#used = Math.min(Number.MAX_SAFE_INTEGER, this.#used + cost);
    return mark;
  }
}
