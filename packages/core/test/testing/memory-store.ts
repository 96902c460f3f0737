import type { Clock, Entry, KeyValueStore, ListOptions, Page, SetOptions, StoreCallOptions } from '../../src/index.ts';

export interface Stored {
  readonly json: string;
  readonly version: string;
  readonly endsMs: number;
}

/** The smallest store that keeps the contract; broken ones override a piece of it. */
export class MemoryStore implements KeyValueStore {
  readonly entries = new Map<string, Stored>();
  readonly clock: Clock;
  writes = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  async get(key: string, { signal }: StoreCallOptions = {}): Promise<Entry | undefined> {
    signal?.throwIfAborted();
    const stored = this.live(key);
    return stored && { value: JSON.parse(stored.json), version: stored.version };
  }

  async set(key: string, value: unknown, { signal, ttlMs, ifVersion }: SetOptions = {}): Promise<string | undefined> {
    signal?.throwIfAborted();
    if (ifVersion !== undefined && (this.live(key)?.version ?? null) !== ifVersion) return undefined;
    return this.write(key, value, ttlMs);
  }

  async delete(key: string, { signal }: StoreCallOptions = {}): Promise<boolean> {
    signal?.throwIfAborted();
    const found = this.live(key) !== undefined;
    this.entries.delete(key);
    return found;
  }

  async list({ signal, prefix = '', limit = 100, cursor }: ListOptions = {}): Promise<Page> {
    signal?.throwIfAborted();
    const keys = this.keys().filter((key) => key.startsWith(prefix) && (cursor === undefined || key > cursor));
    const page = keys.slice(0, limit);
    const last = page.at(-1);
    return keys.length > page.length && last !== undefined ? { keys: page, nextCursor: last } : { keys: page };
  }

  async close(): Promise<void> {}

  live(key: string): Stored | undefined {
    const stored = this.entries.get(key);
    return stored !== undefined && stored.endsMs > this.clock.monotonicMs() ? stored : undefined;
  }

  keys(): string[] {
    return [...this.entries.keys()].filter((key) => this.live(key) !== undefined).sort();
  }

  write(key: string, value: unknown, ttlMs = Number.POSITIVE_INFINITY): string {
    const version = this.nextVersion(key, value);
    this.entries.set(key, { json: JSON.stringify(value), version, endsMs: this.clock.monotonicMs() + ttlMs });
    return version;
  }

  nextVersion(_key: string, _value: unknown): string {
    return `v${++this.writes}`;
  }
}
