/** Entries in this process, within a bound of entries and of bytes. */
import {
  type Clock,
  type Entry,
  type KeyValueStore,
  type ListOptions,
  type Page,
  requireNumber,
  requireOption,
  requireWhole,
  type SetOptions,
  type StoreCallOptions,
  systemClock,
} from '@sage-adk/core';
import { storageErrors } from './errors.ts';
import { ExpiryHeap } from './expiry-heap.ts';
import { observed } from './observed.ts';
import { jsonOf } from './value.ts';

export interface MemoryStoreOptions {
  /** What metrics call these entries. @default 'default' */
  readonly namespace?: string;
  /** @default 10000 */
  readonly maxEntries?: number;
  /** Keys and values together, as UTF-8. @default 64 MiB */
  readonly maxBytes?: number;
  /** What a write does where there is no room: reject with `SAGE_STORAGE_FULL`, or make those go that were written longest ago. @default 'reject-new' */
  readonly whenFull?: 'reject-new' | 'drop-oldest';
  readonly clock?: Clock;
}

export interface MemoryStore extends KeyValueStore {
  /** Entries that count against the bound; expired ones leave with a later write. */
  readonly size: number;
  readonly bytes: number;
  /** Entries that `drop-oldest` made go. */
  readonly dropped: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a {@link KeyValueStore} in memory. Its entries are gone with the process or `close()`.
 *
 * Entries expire without timers. Versions are unique in the process.
 */
export function createMemoryStore({
  namespace = 'default',
  maxEntries = 10_000,
  maxBytes = 64 * 1024 * 1024,
  whenFull = 'reject-new',
  clock = systemClock,
}: MemoryStoreOptions = {}): MemoryStore {
  requireWhole('maxEntries', maxEntries, 1);
  requireWhole('maxBytes', maxBytes, 1);
  requireOption('whenFull', whenFull, '"reject-new" or "drop-oldest"', (value) =>
    ['reject-new', 'drop-oldest'].includes(value),
  );
  const entries = new BoundedEntries({ namespace, maxEntries, maxBytes, whenFull, clock });
  const close = async () => entries.clear();
  return {
    ...observed('memory', namespace, entries),
    get size() {
      return entries.size;
    },
    get bytes() {
      return entries.bytes;
    },
    get dropped() {
      return entries.dropped;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Stored {
  readonly key: string;
  readonly json: string;
  readonly version: string;
  /** By the monotonic clock. */
  readonly endsMs: number;
  readonly bytes: number;
  /** The order of creation, which pages go by: a write over an entry keeps it. */
  readonly position: number;
}

let versions = 0;

class BoundedEntries implements Omit<KeyValueStore, 'close'> {
  bytes = 0;
  dropped = 0;
  #positions = 0;
  // In the order of writing: each write takes its key out first.
  readonly #entries = new Map<string, Stored>();
  readonly #endings = new ExpiryHeap<Stored>();
  readonly #options: Required<MemoryStoreOptions>;

  constructor(options: Required<MemoryStoreOptions>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  async get(key: string, { signal }: StoreCallOptions = {}): Promise<Entry | undefined> {
    signal?.throwIfAborted();
    const stored = this.#live(key);
    return stored && { value: JSON.parse(stored.json), version: stored.version };
  }

  async set(key: string, value: unknown, { signal, ttlMs, ifVersion }: SetOptions = {}): Promise<string | undefined> {
    signal?.throwIfAborted();
    if (ttlMs !== undefined) requireNumber('ttlMs', ttlMs, 1);
    const json = jsonOf(key, value);
    if (ifVersion !== undefined && (this.#live(key)?.version ?? null) !== ifVersion) return undefined;
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(json);
    this.#makeRoom(key, bytes);
    const before = this.#entries.get(key);
    const stored: Stored = {
      key,
      json,
      version: `${++versions}`,
      endsMs: ttlMs === undefined ? Number.POSITIVE_INFINITY : this.#options.clock.monotonicMs() + ttlMs,
      bytes,
      position: before?.position ?? ++this.#positions,
    };
    this.#remove(key);
    this.#entries.set(key, stored);
    this.bytes += bytes;
    if (ttlMs !== undefined) this.#endings.add(stored);
    return stored.version;
  }

  async delete(key: string, { signal }: StoreCallOptions = {}): Promise<boolean> {
    signal?.throwIfAborted();
    const found = this.#live(key) !== undefined;
    this.#remove(key);
    return found;
  }

  async list({ signal, prefix = '', limit = 100, cursor }: ListOptions = {}): Promise<Page> {
    signal?.throwIfAborted();
    requireWhole('limit', limit, 1);
    const after = cursor === undefined ? 0 : Number(cursor);
    const nowMs = this.#options.clock.monotonicMs();
    const found = [...this.#entries.values()]
      .filter((stored) => stored.position > after && stored.endsMs > nowMs && stored.key.startsWith(prefix))
      .sort((a, b) => a.position - b.position);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      keys: page.map(({ key }) => key),
      ...(found.length > limit && last !== undefined && { nextCursor: String(last.position) }),
    };
  }

  clear(): void {
    this.#entries.clear();
    this.#endings.rebuild([]);
    this.bytes = 0;
  }

  #live(key: string): Stored | undefined {
    const stored = this.#entries.get(key);
    return stored !== undefined && stored.endsMs > this.#options.clock.monotonicMs() ? stored : undefined;
  }

  #remove(key: string): void {
    const stored = this.#entries.get(key);
    if (stored === undefined) return;
    this.#entries.delete(key);
    this.bytes -= stored.bytes;
  }

  #makeRoom(key: string, bytes: number): void {
    const { namespace, maxEntries, maxBytes, whenFull } = this.#options;
    if (bytes > maxBytes) throw storageErrors.TOO_LARGE({ key, bytes, namespace, maxBytes });
    this.#sweep();
    const fits = () => {
      const before = this.#entries.get(key);
      const added = before === undefined ? 1 : 0;
      return this.size + added <= maxEntries && this.bytes + bytes - (before?.bytes ?? 0) <= maxBytes;
    };
    if (whenFull === 'reject-new' && !fits()) throw storageErrors.FULL({ namespace, maxEntries, maxBytes });
    for (const oldest of this.#entries.keys()) {
      if (fits()) break;
      this.#remove(oldest);
      this.dropped++;
    }
  }

  #sweep(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (let ended = this.#endings.takeEnded(nowMs); ended !== undefined; ended = this.#endings.takeEnded(nowMs)) {
      if (this.#entries.get(ended.key) === ended) this.#remove(ended.key);
    }
    // Entries that were written over leave their old endings behind.
    if (this.#endings.size > 2 * this.size + 64) {
      this.#endings.rebuild([...this.#entries.values()].filter(({ endsMs }) => Number.isFinite(endsMs)));
    }
  }
}
