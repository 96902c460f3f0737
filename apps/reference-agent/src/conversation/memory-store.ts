import {
  type Clock,
  type Entry,
  type KeyValueStore,
  type ListOptions,
  operate,
  type Page,
  requireWhole,
  type SetOptions,
  type StoreCallOptions,
  systemClock,
} from '@sage-adk/core';
import { errors } from '../errors.ts';

export interface MemoryStoreOptions {
  /** What the entries are, in telemetry. */
  readonly namespace: string;
  /** Entries that are kept; one more pushes out the one that was written longest ago. @default 10_000 */
  readonly maxEntries?: number;
  /** Size of all values together as JSON, in bytes; the same. @default 64 MiB */
  readonly maxBytes?: number;
  readonly clock?: Clock;
}

interface Stored {
  /** JSON, so that no caller shares an object with the store and the size is known. */
  readonly json: string;
  readonly version: string;
  readonly expiresAtMs: number;
}

/** Entries in memory, bounded in number and size: state of one process, gone when it ends. */
export function createMemoryStore(options: MemoryStoreOptions): KeyValueStore {
  return new MemoryStore(options);
}

class MemoryStore implements KeyValueStore {
  // A Map lists its keys in the order of writing, because each write takes its key out first.
  readonly #entries = new Map<string, Stored>();
  readonly #where: { readonly store: string; readonly namespace: string };
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  #bytes = 0;
  #writes = 0;

  constructor({
    namespace,
    maxEntries = 10_000,
    maxBytes = 64 * 1024 * 1024,
    clock = systemClock,
  }: MemoryStoreOptions) {
    this.#where = { store: 'memory', namespace };
    this.#maxEntries = requireWhole('maxEntries', maxEntries, 1);
    this.#maxBytes = requireWhole('maxBytes', maxBytes, 1);
    this.#clock = clock;
  }

  get(key: string, { signal }: StoreCallOptions = {}): Promise<Entry | undefined> {
    return operate('storage.get', this.#where, async (operation) => {
      operation.set({ key });
      signal?.throwIfAborted();
      const stored = this.#live(key);
      operation.set({ hit: stored !== undefined });
      return stored && { value: JSON.parse(stored.json) as unknown, version: stored.version };
    });
  }

  set(key: string, value: unknown, options: SetOptions = {}): Promise<string | undefined> {
    return operate('storage.set', this.#where, async (operation) => {
      const { ttlMs, ifVersion } = options;
      operation.set({ key, conditional: ifVersion !== undefined, ...(ttlMs !== undefined && { ttlMs }) });
      options.signal?.throwIfAborted();
      const version = this.#write(key, value, options);
      operation.set({ written: version !== undefined });
      return version;
    });
  }

  delete(key: string, { signal }: StoreCallOptions = {}): Promise<boolean> {
    return operate('storage.delete', this.#where, async (operation) => {
      operation.set({ key });
      signal?.throwIfAborted();
      const deleted = this.#live(key) !== undefined && this.#drop(key);
      operation.set({ deleted });
      return deleted;
    });
  }

  list({ prefix = '', limit = 100, cursor, signal }: ListOptions = {}): Promise<Page> {
    return operate('storage.list', this.#where, async (operation) => {
      operation.set({ prefix, limit });
      signal?.throwIfAborted();
      // Pages go by the order of the keys, which no write changes.
      const found = [...this.#entries.keys()]
        .filter((key) => key.startsWith(prefix) && (cursor === undefined || key > cursor))
        .filter((key) => this.#live(key) !== undefined)
        .toSorted();
      const keys = found.slice(0, limit);
      const nextCursor = found.length > limit ? keys.at(-1) : undefined;
      operation.set({ count: keys.length });
      return { keys, ...(nextCursor !== undefined && { nextCursor }) };
    });
  }

  async close(): Promise<void> {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #write(key: string, value: unknown, { ttlMs, ifVersion }: SetOptions): string | undefined {
    if (ifVersion !== undefined && (this.#live(key)?.version ?? null) !== ifVersion) return undefined;
    const json = JSON.stringify(value);
    const bytes = sizeOf(key, json);
    if (bytes > this.#maxBytes) throw errors.STORE_FULL({ bytes, maxBytes: this.#maxBytes });
    this.#drop(key);
    const version = String(++this.#writes);
    const expiresAtMs = this.#clock.monotonicMs() + (ttlMs ?? Number.POSITIVE_INFINITY);
    this.#entries.set(key, { json, version, expiresAtMs });
    this.#bytes += bytes;
    this.#makeRoom();
    return version;
  }

  #makeRoom(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { expiresAtMs }] of this.#entries) {
      const over = this.#entries.size > this.#maxEntries || this.#bytes > this.#maxBytes;
      if (!over && expiresAtMs > nowMs) break;
      this.#drop(key);
    }
  }

  #live(key: string): Stored | undefined {
    const stored = this.#entries.get(key);
    if (stored === undefined || stored.expiresAtMs > this.#clock.monotonicMs()) return stored;
    this.#drop(key);
    return undefined;
  }

  #drop(key: string): boolean {
    const stored = this.#entries.get(key);
    if (stored === undefined) return false;
    this.#bytes -= sizeOf(key, stored.json);
    return this.#entries.delete(key);
  }
}

function sizeOf(key: string, json: string): number {
  return 2 * (key.length + json.length);
}
