import {
  type Sliding,
  type SlidingState,
  settleSliding,
  slidingResetUs,
  slidingWaitUs,
  spendFromSliding,
  usedIn,
} from '../../strategies/sliding.ts';
import type { CompiledStrategy } from '../../strategies/strategy.ts';
import type { Counter, Instant } from './counter.ts';

export class SlidingCounter implements Counter {
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
