/** What a store keeps, as operators are shown it. */
import { hashApiKey } from './keys.ts';
import type { UsageRow } from './limiter.ts';
import type { Ask, Holding, LimiterStore } from './stores/store.ts';

export function rowsOf(holdings: readonly Holding[], nowMs: number): readonly UsageRow[] {
  return holdings.map(({ rule, key, remaining, resetAfterUs }) => ({
    rule: rule.name,
    unit: rule.unit,
    scope: rule.scope,
    key,
    limit: rule.limit,
    remaining: Math.min(remaining, rule.limit),
    resetAtMs: nowMs + Math.ceil(resetAfterUs / 1_000),
  }));
}

/** What is kept of subjects whose limits were changed, by these limits. Shared stores may know their keys as hashes. */
export async function asChanged(
  holdings: readonly Holding[],
  changes: readonly Ask[],
  decide: LimiterStore['decide'],
): Promise<readonly Holding[]> {
  if (changes.length === 0) return holdings;
  const changed = new Map<string, Ask>();
  for (const ask of changes)
    for (const key of [ask.key, hashApiKey(ask.key)]) changed.set(`${ask.rule.id} ${key}`, ask);
  return Promise.all(
    holdings.map(async (holding) => {
      const ask = changed.get(`${holding.rule.id} ${holding.key}`);
      const [finding] = ask === undefined ? [] : (await decide({ kind: 'peek', asks: [ask] })).findings;
      return finding === undefined ? holding : { ...finding, key: holding.key };
    }),
  );
}
