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

/** @param place where it is looked for first: a settlement mostly names what was reserved, in its order. */
export function partOf(held: Held, { rule, key }: Pick<Ask, 'rule' | 'key'>, place = 0): Step | undefined {
  const usual = held.parts[place];
  if (usual !== undefined && usual.rule === rule && usual.key === key) return usual;
  for (const part of held.parts) if (part.key === key && part.rule.id === rule.id) return part;
  return undefined;
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
