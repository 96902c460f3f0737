/** One ask in the middle of a decision of the memory store. */
import type { Part } from './held.ts';
import { overflowSlot } from './key-table.ts';
import type { Place } from './places.ts';
import type { Ask, Finding } from './store.ts';

/** The counter has loaded the state of the ask's key. */
export interface Step extends Place {
  readonly ask: Ask;
  readonly slot: number;
  readonly waitUs: number;
}

export function isRefusal({ ask, waitUs }: Step): boolean {
  return waitUs !== 0 && ask.rule.mode === 'enforce';
}

/** Charges for good. */
export function spend({ ask, table, counter, slot }: Step, cost: number): void {
  if (cost === 0) return;
  table.claim(slot, ask.key);
  counter.spend(cost);
  counter.save(slot);
}

/** Charges what will be settled. */
export function hold({ ask, table, counter, slot }: Step): Part {
  const { rule, key, cost } = ask;
  table.claim(slot, key);
  const mark = counter.hold(cost);
  counter.save(slot);
  return { rule, key, overflowed: slot === overflowSlot, held: cost, spent: 0, mark };
}

export function toFinding({ ask, counter, waitUs }: Step): Finding {
  return {
    rule: ask.rule,
    key: ask.key,
    cost: ask.cost,
    allowed: waitUs === 0,
    remaining: counter.remaining(),
    resetAfterUs: counter.resetUs(),
    retryAfterUs: waitUs === Number.POSITIVE_INFINITY ? undefined : waitUs,
  };
}
