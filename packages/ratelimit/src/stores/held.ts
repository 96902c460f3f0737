/** What the memory store keeps of a reservation. */
import type { Expiring } from './expiries.ts';
import { hold, type Step } from './step.ts';
import type { Ask } from './store.ts';

export interface Held extends Expiring {
  /** Undefined where nobody asks by it. */
  readonly id: string | undefined;
  /** What it holds, by rule and key. */
  parts: readonly Step[];
}

export function partOf(held: Held, { rule, key }: Pick<Ask, 'rule' | 'key'>): Step | undefined {
  for (const part of held.parts) if (part.key === key && part.rule.id === rule.id) return part;
  return undefined;
}

/** The same, where it is the one at a place: a settlement mostly names what was reserved, in its order. */
export function partAt({ parts }: Held, place: number, { rule, key }: Pick<Ask, 'rule' | 'key'>): Step | undefined {
  const part = parts[place];
  return part !== undefined && part.rule === rule && part.key === key ? part : undefined;
}

/** Adds a charge to a reservation; what it held under another mark counts as used. */
export function charge(held: Held, added: Step): void {
  hold(added);
  const part = partOf(held, added);
  if (part === undefined) {
    // The list is an answer's as well.
    held.parts = [...held.parts, added];
  } else if (part.mark === added.mark) {
    part.held += added.held;
  } else {
    part.spent += part.held;
    part.held = added.held;
    part.mark = added.mark;
  }
}
