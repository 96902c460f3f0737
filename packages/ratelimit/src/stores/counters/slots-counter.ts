import { type Slots, slotsRemaining, slotsResetUs, slotsWaitUs } from '../../strategies/slots.ts';
import type { CompiledStrategy } from '../../strategies/strategy.ts';
import { Columns } from './columns.ts';
import { consumeWith, type Counter, type Holds, type Instant, type Verdict } from './counter.ts';

export class SlotsCounter implements Counter {
  readonly isCopied = false;
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
    this.#columns.reach(slot)[slot] = this.#active;
  }

  waitUs(cost: number): number {
    return slotsWaitUs(this.#slots, this.#active, cost);
  }

  delayUs(): number {
    return 0;
  }

  look(slot: number, strategy: CompiledStrategy, cost: number): number {
    this.load(slot, strategy);
    return this.waitUs(cost);
  }

  /** A slot is only ever held. */
  spend(): void {}

  hold(held: Holds): void {
    this.#active += held.cost;
    this.save(held.slot);
    held.remaining = this.remaining();
    held.resetAfterUs = this.resetUs();
  }

  settle(slot: number, strategy: CompiledStrategy, held: number, _mark: number, _used: number): number {
    this.load(slot, strategy);
    this.#active = Math.max(0, this.#active - held);
    this.save(slot);
    return 0;
  }

  level(): number {
    return this.#active;
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

  consume(slot: number, strategy: CompiledStrategy, cost: number, now: Instant, verdict: Verdict): boolean {
    return consumeWith(this, slot, strategy, cost, now, verdict);
  }

  isIdle(slot: number): boolean {
    return (this.#columns.numbers[slot] ?? 0) === 0;
  }

  /** Slots are alive: they come back by settlement or expiry. */
  forget(): void {}

  copy(): void {}

  image(): unknown {
    return this.#columns.numbers.slice();
  }
}
