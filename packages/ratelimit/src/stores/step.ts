/** One ask in a decision of the memory store, what becomes of it, and what a reservation then holds of it. */
import type { CompiledRule } from '../compile.ts';
import type { Instant } from './counters/index.ts';
import type { Place } from './places.ts';
import type { Finding } from './store.ts';

/** It was looked at, so the counter has loaded the state of the key. One object for all of it: what makes and copies more of them is more code to fetch for each call. */
export interface Step extends Finding {
  /** Where the state of the rule is. */
  readonly place: Place;
  readonly slot: number;
  remaining: number;
  resetAfterUs: number;
  held: number;
  spent: number;
  mark: number;
}

/** Charges for good. */
export function spend({ key, place, slot }: Step, cost: number): void {
  if (cost === 0) return;
  const { table, counter } = place;
  table.claim(slot, key, counter.level());
  counter.spend(cost);
  counter.save(slot);
}

/** Charges what will be settled, and tells. */
export function hold(step: Step): void {
  const { slot } = step;
  const { table, counter } = step.place;
  table.claim(slot, step.key, counter.level());
  counter.hold(step);
}

/** Replaces what a part holds by what was used. Returns the units that a rule of this strategy is beyond its limit. */
export function settle(part: Step, { strategy }: CompiledRule, cost: number, now: Instant): number {
  const { key, held } = part;
  const { table, counter } = part.place;
  const used = Math.max(0, cost - part.spent);
  const slot = table.slotLater(part.slot, key);
  // The slot is the key's own already, and who settles did not come back.
  if (slot !== undefined) return counter.settle(slot, strategy, held, part.mark, used, now);
  // Where the key was forgotten, nothing of it counts any more but what was used on top.
  if (used <= held) return 0;
  const fresh = table.slotForNew(key);
  table.claim(fresh, key, 0);
  return counter.settle(fresh, strategy, 0, 0, used - held, now);
}

/** Says what is left, after all that was charged. */
export function tell(step: Step): void {
  const { counter } = step.place;
  step.remaining = counter.remaining();
  step.resetAfterUs = counter.resetUs();
}
