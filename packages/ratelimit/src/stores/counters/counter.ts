import type { CompiledStrategy } from '../../strategies/strategy.ts';

/** One instant on two clocks, in microseconds. */
export interface Instant {
  /** Never steps. Starts as the time since the epoch. */
  readonly steadyUs: number;
  /** What windows that lie on the calendar go by. */
  readonly wallUs: number;
}

/** What a counter says about a cost. */
export interface Verdict {
  /** 0 where it fits, Infinity where it never does. */
  waitUs: number;
  /** What is used after it was spent, where it fits: what `remainingAt` reads. Its numbers are for who asks, and a decision is made before it is read. */
  level: number;
  /** Not for a bucket, whose level tells. */
  resetAfterUs: number;
}

/** What will be settled. */
export interface Holds {
  readonly slot: number;
  readonly cost: number;
  mark: number;
  remaining: number;
  resetAfterUs: number;
}

/**
 * How the memory store keeps the state of one rule: the state of all its keys in flat arrays, by slot.
 *
 * A counter works on one slot at a time: `load` takes its state as of now, questions and changes go to that copy, `save` writes it. So a denial,
 * which doesn't save, changes no byte. What belongs together is one call: a process with several kinds of rules cannot inline them.
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
  /** What is used: the debt of a bucket in parts, else units. */
  level(): number;
  /** Units that may be spent now. */
  remaining(): number;
  resetUs(): number;
  /** Units beyond the limit. */
  over(): number;
  /** `load` and `waitUs`. */
  look(slot: number, strategy: CompiledStrategy, cost: number, maxWaitUs: number, now: Instant): number;
  /** Adds to what was loaded of the slot what will be settled, and saves. Sets the mark of it, and what is left. */
  hold(held: Holds): void;
  /**
   * Loads, replaces what is held under a mark by what was used, and saves. Returns the units beyond the limit. A bucket goes by the strategy that was asked about
   * last: a reservation may be older, and to take turns would convert the state of all keys each time.
   */
  settle(slot: number, strategy: CompiledStrategy, held: number, mark: number, used: number, now: Instant): number;
  /**
   * All of that for one cost: loads, and where it fits spends and saves. Returns whether it spent what was idle. One call instead of six, and no number
   * returned: a process with several kinds of rules then pays for one call that cannot be inlined.
   */
  consume(slot: number, strategy: CompiledStrategy, cost: number, now: Instant, verdict: Verdict): boolean;
  /** Whether nothing is used. Leaves what is loaded as it is. */
  isIdle(slot: number, now: Instant): boolean;
  forget(slot: number): void;
  /** Gives a slot the state of another; what was loaded of that other is now the slot's. Nothing where it {@link isCopied} is false: such state is of reservations. */
  copy(from: number, to: number): void;
  readonly isCopied: boolean;
  /** A copy of all state. */
  image(): unknown;
}

/** {@link Counter.consume} in terms of the others. */
export function consumeWith(
  counter: Counter,
  slot: number,
  strategy: CompiledStrategy,
  cost: number,
  now: Instant,
  verdict: Verdict,
): boolean {
  const idle = counter.isIdle(slot, now);
  counter.load(slot, strategy, now);
  verdict.waitUs = counter.waitUs(cost, 0);
  const spends = verdict.waitUs === 0 && cost > 0;
  if (spends) {
    counter.spend(cost);
    counter.save(slot);
  }
  verdict.level = counter.level();
  verdict.resetAfterUs = counter.resetUs();
  return spends && idle;
}
