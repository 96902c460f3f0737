import { createHash, randomUUID } from 'node:crypto';
import type { KeyValueStore } from '@sage-adk/core';

/** The last write of a key that the primary does not have. */
export interface JournalRecord {
  readonly id: string;
  readonly op: 'set' | 'delete';
  readonly value: unknown;
  /** The version that it was written over: of the primary, or {@link versionOf} a record; null for none, undefined where nothing was known of the key. */
  readonly base: string | null | undefined;
  /** Wall-clock time of its end. */
  readonly endsAtMs: number | null;
  /** Wall-clock time at which it was made. */
  readonly atMs: number;
  /** Set before it is brought to the primary for the first time. */
  readonly begun?: true;
  /** {@link digestOf} the records before it that were begun: the primary may have any of them in place of `base`. */
  readonly replaced?: readonly string[];
}

export interface JournalEntry {
  readonly record: JournalRecord;
  /** Of the journal's own store. */
  readonly version: string;
}

const prefix = 'journal:';

/** What a reader is told as the version of an entry that only the journal has. */
export function versionOf({ id }: Pick<JournalRecord, 'id'>): string {
  return `${prefix}${id}`;
}

/** What tells a value from others; empty for none. */
export function digestOf(value: unknown): string {
  return value === undefined ? '' : createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22);
}

const mostReplaced = 32;

/** What a record that is written over this one has as `replaced`. */
export function replacedWith({ op, value, begun, replaced = [] }: JournalRecord): readonly string[] {
  if (begun === undefined) return replaced;
  return [...replaced, digestOf(op === 'delete' ? undefined : value)].slice(-mostReplaced);
}

/** Writes that wait for the primary, one per key: a later write of a key takes the place of the one that it was made over. */
export class Journal {
  readonly #store: KeyValueStore;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  async find(key: string): Promise<JournalEntry | undefined> {
    const entry = await this.#store.get(prefix + key);
    // Null stands for a moment where a record was taken out.
    return entry === undefined || entry.value === null
      ? undefined
      : { record: entry.value as JournalRecord, version: entry.version };
  }

  /** Undefined where somebody else wrote since `over` was found. */
  async write(
    key: string,
    record: Omit<JournalRecord, 'id'>,
    over: JournalEntry | undefined,
  ): Promise<JournalRecord | undefined> {
    const written = { ...record, id: randomUUID() };
    const put = async (ifVersion: string | null) =>
      (await this.#store.set(prefix + key, written, { ifVersion })) === undefined ? undefined : written;
    const added = await put(over?.version ?? null);
    if (added !== undefined || over !== undefined) return added;
    const there = await this.#store.get(prefix + key);
    return there?.value === null ? put(there.version) : undefined;
  }

  /** Marks that it is being brought to the primary, for those who write over it from now on. Undefined where somebody did before. */
  async begin(key: string, found: JournalEntry): Promise<JournalEntry | undefined> {
    if (found.record.begun) return found;
    const record = { ...found.record, begun: true as const };
    const version = await this.#store.set(prefix + key, record, { ifVersion: found.version });
    return version === undefined ? undefined : { record, version };
  }

  /** Takes the entry out unless it was written over. */
  async done(key: string, { version }: JournalEntry): Promise<void> {
    // Stores have no conditional delete; a write that ends at once is one.
    await this.#store.set(prefix + key, null, { ifVersion: version, ttlMs: 1 });
  }

  async *keys(): AsyncIterable<string> {
    for (let cursor: string | undefined = '', first = true; first || cursor !== undefined; first = false) {
      const page: Awaited<ReturnType<KeyValueStore['list']>> = await this.#store.list({
        prefix,
        ...(!first && cursor !== undefined && { cursor }),
      });
      for (const key of page.keys) yield key.slice(prefix.length);
      cursor = page.nextCursor;
    }
  }
}
