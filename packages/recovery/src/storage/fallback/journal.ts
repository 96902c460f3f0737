import { randomUUID } from 'node:crypto';
import type { KeyValueStore } from '@sage-adk/core';

/** The last write of a key that the primary does not have. */
export interface JournalRecord {
  readonly id: string;
  readonly op: 'set' | 'delete';
  readonly value: unknown;
  /** The version that it was written over: of the primary, or {@link versionOf} a record; null for none. */
  readonly base: string | null;
  /** Wall-clock time of its end. */
  readonly endsAtMs: number | null;
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
    const ifVersion = over?.version ?? null;
    return (await this.#store.set(prefix + key, written, { ifVersion })) === undefined ? undefined : written;
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
