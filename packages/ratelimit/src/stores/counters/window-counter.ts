import {
  freshWindow,
  openWindow,
  settleWindow,
  type Span,
  spendFromWindow,
  type Window,
  windowRemaining,
  windowResetUs,
  type WindowState,
  windowWaitUs,
} from '../../strategies/window.ts';
import type { CompiledStrategy } from '../../strategies/strategy.ts';
import { Columns } from './columns.ts';
import { consumeWith, type Counter, type Holds, type Instant, type Verdict } from './counter.ts';

export class WindowCounter implements Counter {
  readonly isCopied = true;
  #window: Window;
  #span: Span = { startUs: 0, endUs: 0 };
  #nowUs = 0;
  readonly #columns: Columns;
  readonly #state = freshWindow();
  /** Of a slot that is only looked at. */
  readonly #other = freshWindow();

  constructor(window: Window, maxKeys: number) {
    this.#window = window;
    this.#columns = new Columns(2, maxKeys);
  }

  load(slot: number, strategy: CompiledStrategy, now: Instant): void {
    this.#window = strategy as Window;
    this.#nowUs = this.#window.anchored ? now.steadyUs : now.wallUs;
    this.#span = this.#open(this.#state, slot, now);
  }

  save(slot: number): void {
    const numbers = this.#columns.reach(slot);
    numbers[slot * 2] = this.#state.startUs;
    numbers[slot * 2 + 1] = this.#state.used;
  }

  waitUs(cost: number): number {
    return windowWaitUs(this.#window, this.#state, cost, this.#span, this.#nowUs);
  }

  delayUs(): number {
    return 0;
  }

  look(slot: number, strategy: CompiledStrategy, cost: number, _maxWaitUs: number, now: Instant): number {
    this.load(slot, strategy, now);
    return this.waitUs(cost);
  }

  spend(cost: number): void {
    spendFromWindow(this.#state, cost);
  }

  hold(held: Holds): void {
    held.mark = spendFromWindow(this.#state, held.cost);
    this.save(held.slot);
    held.remaining = this.remaining();
    held.resetAfterUs = this.resetUs();
  }

  settle(slot: number, strategy: CompiledStrategy, held: number, mark: number, used: number, now: Instant): number {
    this.load(slot, strategy, now);
    settleWindow(this.#state, held, mark, used);
    this.save(slot);
    return this.over();
  }

  level(): number {
    return this.#state.used;
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

  consume(slot: number, strategy: CompiledStrategy, cost: number, now: Instant, verdict: Verdict): boolean {
    return consumeWith(this, slot, strategy, cost, now, verdict);
  }

  isIdle(slot: number, now: Instant): boolean {
    if ((this.#columns.numbers[slot * 2 + 1] ?? 0) === 0) return true;
    this.#open(this.#other, slot, now);
    return this.#other.used === 0;
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

  #open(state: WindowState, slot: number, { steadyUs, wallUs }: Instant): Span {
    const { anchored, calendar } = this.#window;
    state.startUs = this.#columns.numbers[slot * 2] ?? 0;
    state.used = this.#columns.numbers[slot * 2 + 1] ?? 0;
    const boundaries = calendar?.boundariesAround(wallUs / 1_000);
    return openWindow(this.#window, state, anchored ? steadyUs : wallUs, boundaries);
  }
}
