/** One ask in the middle of a decision of the memory store. */
import type { Part } from './held.ts';
import { type KeyTable, overflowSlot } from './key-table.ts';
import type { Place } from './places.ts';
import type { Ask, Finding } from './store.ts';

/** The counter has loaded the state of the ask's key. */
export interface Step {
  readonly ask: Ask;
  readonly place: Place;
  readonly slot: number;
  readonly waitUs: number;
}

/** Whether an enforced rule says no. */
export function areRefused(steps: readonly Step[]): boolean {
  for (const { ask, waitUs } of steps) if (waitUs !== 0 && ask.rule.mode === 'enforce') return true;
  return false;
}

/** The slot that a step before found in a table. */
export function slotAmong(steps: readonly Step[], table: KeyTable): number | undefined {
  for (const { place, slot } of steps) if (place.table === table) return slot;
  return undefined;
}

/** Charges for good. */
export function spend({ ask, place, slot }: Step, cost: number): void {
  if (cost === 0) return;
  const { table, counter } = place;
  table.claim(slot, ask.key);
  counter.spend(cost);
  counter.save(slot);
}

/** Charges what will be settled. */
export function hold({ ask, place, slot }: Step): Part {
  const { rule, key, cost } = ask;
  const { table, counter } = place;
  table.claim(slot, key);
  const mark = counter.hold(cost);
  counter.save(slot);
  return { rule, place, key, overflowed: slot === overflowSlot, held: cost, spent: 0, mark };
}

export function toFinding({ ask, place, waitUs }: Step): Finding {
  const { counter } = place;
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
