/** What a reservation used, rule by rule. */
import type { LimitCosts } from '@sage-adk/core';
import { costIn } from './costs.ts';
import type { Ask } from './stores/store.ts';

/** What was used, or what was of each thing that is reserved. */
export type Usage = LimitCosts | ((reserved: Ask) => number);

export function usedOf(asks: readonly Ask[], costs: Usage | undefined, isUsed: boolean): readonly Ask[] {
  const used: Ask[] = [];
  for (const ask of asks) {
    const { rule, key, cost } = ask;
    const units = typeof costs === 'function' ? costs(ask) : (costIn(rule.unit, costs) ?? cost);
    used.push({ rule, key, cost: isUsed ? units : 0 });
  }
  return used;
}

/** What of it goes beyond what was reserved. */
export function excessOf(used: readonly Ask[], reserved: readonly Ask[]): readonly Ask[] {
  return used.map((ask, n) => ({ ...ask, cost: ask.cost - (reserved[n]?.cost ?? 0) })).filter(({ cost }) => cost > 0);
}
