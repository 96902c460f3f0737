/** What the memory store keeps of a reservation. */
import type { CompiledRule } from '../compile.ts';
import type { Expiring } from './expiries.ts';
import type { Place } from './places.ts';
import type { Ask } from './store.ts';

export interface Held extends Expiring {
  readonly id: string;
  parts: Part[];
}

/** What a reservation holds of one rule and key. */
export interface Part {
  readonly rule: CompiledRule;
  /** Where the state of the rule is. */
  readonly place: Place;
  readonly key: string;
  readonly overflowed: boolean;
  held: number;
  spent: number;
  mark: number;
}

export function partOf(held: Held, { rule, key }: Pick<Ask, 'rule' | 'key'>): Part | undefined {
  for (const part of held.parts) if (part.key === key && part.rule.id === rule.id) return part;
  return undefined;
}

/** Adds a charge to a reservation; what it held under another mark counts as used. */
export function addPart(held: Held, added: Part): void {
  const part = partOf(held, added);
  if (part === undefined) {
    held.parts.push(added);
  } else if (part.mark === added.mark) {
    part.held += added.held;
  } else {
    part.spent += part.held;
    part.held = added.held;
    part.mark = added.mark;
  }
}
