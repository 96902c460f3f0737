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
} from '../../strategies/window.ts';
import type { CompiledStrategy } from '../../strategies/strategy.ts';
import { Columns } from './columns.ts';
import type { Counter, Instant } from './counter.ts';

export class WindowCounter implements Counter {
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
