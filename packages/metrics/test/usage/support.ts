import { keyText, type UsageRow } from '../../src/usage/row.ts';
import type { UsageStore } from '../../src/usage/index.ts';

/** Every row of a store with its day, by day and key. */
export async function readAll(store: UsageStore): Promise<readonly (UsageRow & { readonly day: string })[]> {
  const found: (UsageRow & { readonly day: string })[] = [];
  for await (const { day, rows } of store.read({ from: '2020-01-01', to: '2099-12-31' })) {
    found.push(...rows.map((row) => ({ ...row, day })));
  }
  return found.toSorted((a, b) => (a.day + keyText(a) < b.day + keyText(b) ? -1 : 1));
}
