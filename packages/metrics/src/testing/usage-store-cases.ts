/** What every {@link UsageStore} promises. */
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type { ConformanceCase } from '@sage-adk/core/testing';
import { plusDays } from '../usage/day.ts';
import { keyText, noUsage, type UsageRow } from '../usage/row.ts';
import type { UsageRange, UsageStore } from '../usage/store.ts';

/** Makes an empty store. */
export type CreateUsageStore = () => UsageStore | Promise<UsageStore>;
export type UsageStoreCase = ConformanceCase<CreateUsageStore>;

const day = '2026-11-28';
const key = { tenant: 't', user: 'u', agent: 'a', session: '', provider: 'p', model: 'm' };
const row = (fields: Partial<UsageRow> = {}): UsageRow => ({ ...noUsage, ...key, ...fields });
const batch = (rows: readonly UsageRow[], of = day) => ({ id: randomUUID(), day: of, rows });

export const usageStoreCases: readonly UsageStoreCase[] = [
  storeCase('rows of one key and day are summed, and others stand apart', async (store) => {
    await store.add(batch([row({ calls: 1, costNanoUsd: 3n }), row({ user: 'v', calls: 5 })]));
    await store.add(batch([row({ calls: 2, inputTokens: 7, costNanoUsd: 4n })]));
    await store.add(batch([row({ calls: 9 })], plusDays(day, 1)));
    assert.deepEqual(await all(store, { from: day, to: day }), [
      [day, row({ calls: 3, inputTokens: 7, costNanoUsd: 7n })],
      [day, row({ user: 'v', calls: 5 })],
    ]);
  }),

  storeCase('every count is kept, and a cost exactly, beyond what a number holds', async (store) => {
    const full = row({
      messages: 1,
      failedMessages: 2,
      calls: 3,
      failedCalls: 4,
      inputTokens: 5,
      outputTokens: 6,
      cachedInputTokens: 7,
      cacheWriteTokens: 8,
      reasoningTokens: 9,
      unknownCostCalls: 10,
      costNanoUsd: 2n ** 60n + 1n,
    });
    await store.add(batch([full]));
    assert.deepEqual(await all(store), [[day, full]]);
    await store.add(batch([row({ costNanoUsd: 1n })]));
    assert.equal((await all(store))[0]?.[1].costNanoUsd, 2n ** 60n + 2n);
  }),

  storeCase('a batch that comes twice counts once', async (store) => {
    const once = batch([row({ calls: 1 })]);
    await store.add(once);
    await Promise.all([store.add(once), store.add(once)]);
    assert.deepEqual(await all(store), [[day, row({ calls: 1 })]]);
  }),

  storeCase('batches of many writers at once are all counted', async (store) => {
    const rows = Array.from({ length: 20 }, (_, i) => row({ user: `u${i}`, calls: 1, costNanoUsd: 1n }));
    await Promise.all(Array.from({ length: 10 }, (_, i) => store.add(batch(i % 2 === 0 ? rows : rows.toReversed()))));
    const kept = await all(store);
    assert.equal(kept.length, 20);
    assert.ok(kept.every(([, { calls, costNanoUsd }]) => calls === 10 && costNanoUsd === 10n));
  }),

  storeCase('a row without a count is kept: it says that a session was there', async (store) => {
    const session = row({ session: 's', provider: '', model: '' });
    await store.add(batch([session]));
    assert.deepEqual(await all(store), [[day, session]]);
  }),

  storeCase('days are read in order, from the first to the last, both included', async (store) => {
    for (const offset of [2, 0, 3, 1]) await store.add(batch([row({ calls: offset + 1 })], plusDays(day, offset)));
    const range = { from: plusDays(day, 1), to: plusDays(day, 2) };
    assert.deepEqual(await all(store, range), [
      [plusDays(day, 1), row({ calls: 2 })],
      [plusDays(day, 2), row({ calls: 3 })],
    ]);
  }),

  storeCase('one tenant can be read alone, the one without a name too', async (store) => {
    await store.add(batch([row({ calls: 1 }), row({ tenant: 'other', calls: 2 }), row({ tenant: '', calls: 3 })]));
    const range = { from: day, to: day };
    assert.deepEqual(await all(store, { ...range, tenant: 'other' }), [[day, row({ tenant: 'other', calls: 2 })]]);
    assert.deepEqual(await all(store, { ...range, tenant: '' }), [[day, row({ tenant: '', calls: 3 })]]);
  }),

  storeCase('whatever is in a text, it comes back, and no two keys meet', async (store) => {
    const texts = ['a"b', "a'b", 'a\\b', 'a|b', 'a,b', '[]', '{x}', 'ä€😀', ' ', 'a\nb', '0'];
    const rows = texts.flatMap((text) => [row({ user: text, calls: 1 }), row({ user: '', model: text, calls: 1 })]);
    await store.add(batch(rows));
    const kept = (await all(store)).map(([, found]) => keyText(found));
    assert.deepEqual(kept.toSorted(), rows.map(keyText).toSorted());
  }),

  storeCase('a day of more rows than a page comes whole, each row once', async (store) => {
    const rows = Array.from({ length: 2_500 }, (_, i) => row({ user: `u${i}`, calls: 1 }));
    for (let i = 0; i < rows.length; i += 1_000) await store.add(batch(rows.slice(i, i + 1_000)));
    const kept = await all(store);
    assert.equal(new Set(kept.map(([, { user }]) => user)).size, 2_500);
    assert.equal(kept.length, 2_500);
  }),

  storeCase('days before another are forgotten', async (store) => {
    for (const offset of [-2, -1, 0]) await store.add(batch([row({ calls: 1 })], plusDays(day, offset)));
    await store.prune(plusDays(day, -1));
    assert.deepEqual(
      (await all(store, { from: '2026-01-01', to: day })).map(([of]) => of),
      [plusDays(day, -1), day],
    );
  }),
];

function storeCase(name: string, run: (store: UsageStore) => Promise<void>): UsageStoreCase {
  return { name, run: async (create) => run(await create()) };
}

async function all(
  store: UsageStore,
  range: UsageRange = { from: day, to: day },
): Promise<readonly (readonly [string, UsageRow])[]> {
  const found: (readonly [string, UsageRow])[] = [];
  for await (const page of store.read(range)) found.push(...page.rows.map((kept) => [page.day, kept] as const));
  return found.toSorted(([a, left], [b, right]) => {
    return a === b ? (keyText(left) < keyText(right) ? -1 : 1) : a < b ? -1 : 1;
  });
}
