import type { CompiledStrategy } from '../../strategies/strategy.ts';

/** One instant on two clocks, in microseconds. */
export interface Instant {
  /** Never steps. Starts as the time since the epoch. */
  readonly steadyUs: number;
  /** What windows that lie on the calendar go by. */
  readonly wallUs: number;
}

/**
 * How the memory store keeps the state of one rule: the state of all its keys in flat arrays, by slot.
 *
 * A counter works on one slot at a time: `load` takes its state as of now, questions and changes go to that copy, `save` writes it. So a denial,
 * which doesn't save, changes no byte.
 */
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
