export { storageErrors } from './errors.ts';
export type {
  Durability,
  FallbackEntry,
  FallbackState,
  FallbackWrite,
  JournalOptions,
  StorageFallback,
  StorageFallbackOptions,
  WhenDown,
} from './fallback/contract.ts';
export { createStorageFallback } from './fallback/fallback.ts';
export { createMemoryStore, type MemoryStore, type MemoryStoreOptions } from './memory-store.ts';
