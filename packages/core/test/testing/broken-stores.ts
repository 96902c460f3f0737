/** Stores that each break one promise, as real ones do. */
import type { Entry, ListOptions, Page, SetOptions } from '../../src/index.ts';
import { MemoryStore, type Stored } from './memory-store.ts';

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const brokenStores: Readonly<Record<string, typeof MemoryStore>> = {
  'null for a missing key': class extends MemoryStore {
    override async get(key: string): Promise<Entry | undefined> {
      return (await super.get(key)) ?? (null as unknown as undefined);
    }
  },
  'a version of its own at each read': class extends MemoryStore {
    override async get(key: string): Promise<Entry | undefined> {
      const entry = await super.get(key);
      return entry && { ...entry, version: `v${++this.writes}` };
    }
  },
  'merging instead of replacing': class extends MemoryStore {
    override write(key: string, value: unknown, ttlMs?: number): string {
      const before: unknown = JSON.parse(this.live(key)?.json ?? 'null');
      const both = isPlain(before) && isPlain(value);
      return super.write(key, both ? { ...before, ...value } : value, ttlMs);
    }
  },
  'falsy values are no entries': class extends MemoryStore {
    override async get(key: string): Promise<Entry | undefined> {
      const entry = await super.get(key);
      return entry?.value ? entry : undefined;
    }
  },
  'zero bytes lost': class extends MemoryStore {
    override write(key: string, value: unknown, ttlMs?: number): string {
      return super.write(key, JSON.parse(JSON.stringify(value).replaceAll('\\u0000', '')), ttlMs);
    }
  },
  'large values refused': class extends MemoryStore {
    override write(key: string, value: unknown, ttlMs?: number): string {
      if (JSON.stringify(value).length > 500_000) throw new Error('too large');
      return super.write(key, value, ttlMs);
    }
  },
  'references instead of copies': class extends MemoryStore {
    readonly #values = new Map<string, unknown>();
    override write(key: string, value: unknown, ttlMs?: number): string {
      this.#values.set(key, value);
      return super.write(key, value, ttlMs);
    }
    override async get(key: string): Promise<Entry | undefined> {
      const entry = await super.get(key);
      return entry && { ...entry, value: this.#values.get(key) };
    }
  },
  'keys trimmed to 255 characters': class extends MemoryStore {
    override live(key: string): Stored | undefined {
      return super.live(key.slice(0, 255));
    }
    override write(key: string, value: unknown, ttlMs?: number): string {
      return super.write(key.replaceAll(' ', ''), value, ttlMs);
    }
  },
  'deleting by pattern': class extends MemoryStore {
    override async delete(key: string): Promise<boolean> {
      if (key === '*') this.entries.clear();
      return super.delete(key).then((found) => found || key === '*');
    }
  },
  'deleting always says yes': class extends MemoryStore {
    override async delete(key: string): Promise<boolean> {
      await super.delete(key);
      return true;
    }
  },
  'deleting does nothing': class extends MemoryStore {
    override async delete(key: string): Promise<boolean> {
      return this.live(key) !== undefined;
    }
  },
  'signals ignored': class extends MemoryStore {
    override async set(
      key: string,
      value: unknown,
      { signal: _signal, ...options }: SetOptions = {},
    ): Promise<string | undefined> {
      return super.set(key, value, options);
    }
  },
  'closing twice throws': class extends MemoryStore {
    #closed = false;
    override async close(): Promise<void> {
      if (this.#closed) throw new Error('closed already');
      this.#closed = true;
    }
  },
  'the version is a hash of the value': class extends MemoryStore {
    override nextVersion(_key: string, value: unknown): string {
      return JSON.stringify(value);
    }
  },
  'versions count from 1 for each key': class extends MemoryStore {
    override nextVersion(key: string): string {
      const before = this.entries.get(key)?.version;
      return `v${before === undefined ? 1 : Number(before.slice(1)) + 1}`;
    }
  },
  'ifVersion never matches': class extends MemoryStore {
    override async set(key: string, value: unknown, options: SetOptions = {}): Promise<string | undefined> {
      return typeof options.ifVersion === 'string' ? undefined : super.set(key, value, options);
    }
  },
  'ifVersion ignored': class extends MemoryStore {
    override async set(
      key: string,
      value: unknown,
      { ifVersion: _ifVersion, ...options }: SetOptions = {},
    ): Promise<string | undefined> {
      return super.set(key, value, options);
    }
  },
  'ifVersion ignored for a missing key': class extends MemoryStore {
    override async set(
      key: string,
      value: unknown,
      { ifVersion, ...options }: SetOptions = {},
    ): Promise<string | undefined> {
      const missing = this.live(key) === undefined;
      return super.set(key, value, missing || ifVersion === undefined ? options : { ...options, ifVersion });
    }
  },
  'null is no entry for ifVersion null': class extends MemoryStore {
    override async set(
      key: string,
      value: unknown,
      { ifVersion, ...options }: SetOptions = {},
    ): Promise<string | undefined> {
      if (ifVersion === null && this.live(key)?.json === 'null') return super.set(key, value, options);
      return super.set(key, value, ifVersion === undefined ? options : { ...options, ifVersion });
    }
  },
  'compare, then set': class extends MemoryStore {
    override async set(
      key: string,
      value: unknown,
      { ttlMs, ifVersion }: SetOptions = {},
    ): Promise<string | undefined> {
      const matches = ifVersion === undefined || (this.live(key)?.version ?? null) === ifVersion;
      await pause();
      return matches ? this.write(key, value, ttlMs) : undefined;
    }
  },
  'ttl ignored': class extends MemoryStore {
    override write(key: string, value: unknown): string {
      return super.write(key, value);
    }
  },
  'ttl taken for seconds, divided': class extends MemoryStore {
    override write(key: string, value: unknown, ttlMs?: number): string {
      return super.write(key, value, ttlMs && ttlMs / 10_000);
    }
  },
  'expired entries counted until read': class extends MemoryStore {
    override keys(): string[] {
      return [...this.entries.keys()].sort();
    }
  },
  'expired entries deleted as if they lived': class extends MemoryStore {
    override async delete(key: string): Promise<boolean> {
      return this.entries.delete(key);
    }
  },
  'expired entries still compared': class extends MemoryStore {
    override async set(
      key: string,
      value: unknown,
      { ttlMs, ifVersion }: SetOptions = {},
    ): Promise<string | undefined> {
      if (ifVersion !== undefined && (this.entries.get(key)?.version ?? null) !== ifVersion) return undefined;
      return this.write(key, value, ttlMs);
    }
  },
  'ttl kept by later writes': class extends MemoryStore {
    override write(key: string, value: unknown, ttlMs?: number): string {
      const endsMs = this.live(key)?.endsMs ?? Number.POSITIVE_INFINITY;
      return super.write(key, value, ttlMs ?? endsMs - this.clock.monotonicMs());
    }
  },
  'ttl only for new keys': class extends MemoryStore {
    override write(key: string, value: unknown, ttlMs?: number): string {
      return super.write(key, value, this.live(key) === undefined ? ttlMs : undefined);
    }
  },
  'ttl set by refused writes': class extends MemoryStore {
    override async set(key: string, value: unknown, options: SetOptions = {}): Promise<string | undefined> {
      const version = await super.set(key, value, options);
      const stored = this.live(key);
      if (version === undefined && stored !== undefined && options.ttlMs !== undefined) {
        this.entries.set(key, { ...stored, endsMs: this.clock.monotonicMs() + options.ttlMs });
      }
      return version;
    }
  },
  'a listing without end': class extends MemoryStore {
    override async list(options: ListOptions = {}): Promise<Page> {
      return { nextCursor: options.cursor ?? 'again', ...(await super.list(options)) };
    }
  },
  'no listing without a prefix': class extends MemoryStore {
    override async list(options: ListOptions = {}): Promise<Page> {
      return options.prefix === undefined ? { keys: [] } : super.list(options);
    }
  },
  'prefixes match anywhere, in any case': class extends MemoryStore {
    override async list({ prefix = '', ...options }: ListOptions = {}): Promise<Page> {
      const { keys, ...rest } = await super.list(options);
      return { ...rest, keys: keys.filter((key) => key.toLowerCase().includes(prefix.toLowerCase())) };
    }
  },
  'prefixes are patterns': class extends MemoryStore {
    override async list({ prefix = '', limit = 100, cursor }: ListOptions = {}): Promise<Page> {
      const escaped = prefix.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
      const pattern = new RegExp(`^${escaped.replaceAll('%', '.*').replaceAll('_', '.')}`);
      const keys = this.keys().filter((key) => pattern.test(key) && key > (cursor ?? ''));
      const last = keys[limit - 1];
      return keys.length > limit && last !== undefined
        ? { keys: keys.slice(0, limit), nextCursor: last }
        : { keys: keys.slice(0, limit) };
    }
  },
  'deleted keys listed': class extends MemoryStore {
    readonly #ever = new Set<string>();
    override write(key: string, value: unknown, ttlMs?: number): string {
      this.#ever.add(key);
      return super.write(key, value, ttlMs);
    }
    override keys(): string[] {
      return [...this.#ever].sort();
    }
  },
  'limits ignored': class extends MemoryStore {
    override async list(options: ListOptions = {}): Promise<Page> {
      return super.list({ ...options, limit: 1_000_000 });
    }
  },
  'cursors that count': class extends MemoryStore {
    override async list({ prefix = '', limit = 100, cursor = '0' }: ListOptions = {}): Promise<Page> {
      const keys = this.keys().filter((key) => key.startsWith(prefix));
      const end = Number(cursor) + limit;
      return { keys: keys.slice(Number(cursor), end), ...(end < keys.length && { nextCursor: String(end) }) };
    }
  },
};

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
