/** Conditional deletes. Stores have none; a write that ends at once is one, and what stands in the store until then is no entry. */
import type { Entry, KeyValueStore } from '@sage-adk/core';

const mark = 'sage-fallback-deleted';

/** Deletes the entry if it has that version. */
export async function deleteIf(store: KeyValueStore, key: string, version: string): Promise<boolean> {
  return (await store.set(key, { [mark]: true }, { ifVersion: version, ttlMs: 1 })) !== undefined;
}

/** The entry, unless it only stands for one that was deleted. */
export function unlessDeleted(entry: Entry | undefined): Entry | undefined {
  return typeof entry?.value === 'object' && entry.value !== null && mark in entry.value ? undefined : entry;
}
