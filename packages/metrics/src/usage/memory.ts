import { requireWhole } from '@sage-adk/core';
import type { UsageStore } from './store.ts';
import { UsageTable } from './table.ts';

export interface MemoryUsageOptions {
  /** Most rows that are kept, of all days; what comes later is counted under `other`. @default 100000 */
  readonly maxRows?: number;
  /** Most days that are kept; the oldest go. @default 400 */
  readonly maxDays?: number;
}

const rememberedBatches = 10_000;

/** Makes a {@link UsageStore} in this process, for tests and for agents that run once and alone. */
export function createMemoryUsage({ maxRows = 100_000, maxDays = 400 }: MemoryUsageOptions = {}): UsageStore {
  requireWhole('maxRows', maxRows, 1);
  requireWhole('maxDays', maxDays, 1);
  const table = new UsageTable(maxRows);
  const batches = new Set<string>();
  return {
    name: 'memory',
    async add({ id, day, rows }) {
      if (batches.has(id)) return;
      batches.add(id);
      const [oldestBatch] = batches;
      if (batches.size > rememberedBatches && oldestBatch !== undefined) batches.delete(oldestBatch);
      for (const row of rows) table.add(day, row, row);
      for (const oldest of table.days.slice(0, -maxDays)) table.delete(oldest);
    },
    async *read({ from, to, tenant }) {
      for (const day of table.days) {
        if (day < from || day > to) continue;
        yield { day, rows: table.rowsOf(day).filter((row) => tenant === undefined || row.tenant === tenant) };
      }
    },
    async prune(before) {
      for (const day of table.days) if (day < before) table.delete(day);
    },
  };
}
