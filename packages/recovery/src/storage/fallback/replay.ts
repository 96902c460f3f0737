import type { Clock, Entry, KeyValueStore } from '@sage-adk/core';
import type { DeadLetterStore } from '../../dead-letters/store.ts';
import { storageErrors } from '../errors.ts';
import type { Copies } from './copies.ts';
import { deleteIf, unlessDeleted } from './deletion.ts';
import { digestOf, type Journal, type JournalRecord, versionOf } from './journal.ts';

interface Brought {
  readonly version: string | null;
}

const mostRemembered = 10_000;

/** Brings journal records to the primary by compare-and-set. What it was stopped in can be done again. */
export class Replay {
  readonly #primary: KeyValueStore;
  readonly #deadLetters: DeadLetterStore;
  readonly #copies: Copies;
  readonly #clock: Clock;
  /** The primary's versions of records that were brought there: later records may have been written over those. */
  readonly #versions = new Map<string, string | null>();
  readonly #settling = new Map<string, Promise<void>>();

  constructor(primary: KeyValueStore, deadLetters: DeadLetterStore, copies: Copies, clock: Clock) {
    this.#primary = primary;
    this.#deadLetters = deadLetters;
    this.#copies = copies;
    this.#clock = clock;
  }

  /** Brings what the journals hold of `key` to the primary, in their order; one caller after the other. */
  async settle(key: string, journals: readonly Journal[]): Promise<void> {
    const before = this.#settling.get(key);
    const settled = (before ?? Promise.resolve())
      .catch(() => {})
      .then(async () => {
        for (const journal of journals) await this.#apply(key, journal);
      });
    this.#settling.set(key, settled);
    try {
      await settled;
    } finally {
      if (this.#settling.get(key) === settled) this.#settling.delete(key);
    }
  }

  async #apply(key: string, journal: Journal): Promise<void> {
    const found = await journal.find(key);
    if (found === undefined) return;
    const begun = await journal.begin(key, found);
    // Somebody wrote over it: that one then.
    if (begun === undefined) return this.#apply(key, journal);
    const { record, version } = begun;
    // Whoever writes the key once it was brought by another process takes it out of the journal first.
    const isOpen = async (): Promise<boolean> => (await journal.find(key))?.version === version;
    const outcome = await this.#bring(key, record, isOpen);
    if (outcome !== undefined) {
      this.#remember(versionOf(record), outcome.version);
      await this.#copy(key, record, outcome.version);
    } else if (await isOpen()) {
      // Put first, taken out then: a crash between the two puts it again, under the same key.
      await this.#giveUp(key, record);
    }
    await journal.done(key, begun);
  }

  /** What the next write of the key is made over, while degraded again. */
  #copy(key: string, { value, endsAtMs, atMs }: JournalRecord, version: string | null): Promise<void> {
    return version === null
      ? this.#copies.deleted(key, true, atMs)
      : this.#copies.written(key, { value, version }, endsAtMs, atMs);
  }

  async #giveUp(key: string, record: JournalRecord): Promise<void> {
    const { id, op, value, base } = record;
    const letter = { source: 'storage.conflict', dedupeKey: id, payload: { key, op, value, base } };
    try {
      await this.#deadLetters.put({ ...letter, error: storageErrors.CONFLICT({ key }) });
    } catch (cause) {
      // Of this key alone: the primary is well.
      throw storageErrors.CONFLICT({ key }, { cause });
    }
  }

  /** The version that the primary has then, or undefined where somebody else's write stands there. */
  async #bring(key: string, record: JournalRecord, isOpen: () => Promise<boolean>): Promise<Brought | undefined> {
    const base = this.#versionAt(record.base);
    const brought = base === undefined ? undefined : await this.#put(key, record, base);
    if (brought !== undefined) return brought;
    let found = await this.#primary.get(key);
    if ((await this.#mayReplace(key, record, unlessDeleted(found))) && (await isOpen())) {
      const replaced = await this.#put(key, record, found?.version ?? null);
      if (replaced !== undefined) return replaced;
      found = await this.#primary.get(key);
    }
    // It may be there already: from a call whose answer was lost, a replay that was cut off, or one of another process.
    const current = unlessDeleted(found);
    const wanted = this.#endsNow(record) ? undefined : record.value;
    return digestOf(current?.value) === digestOf(wanted) ? { version: current?.version ?? null } : undefined;
  }

  /** The primary's version of what a record was written over. */
  #versionAt(base: string | null | undefined): string | null | undefined {
    const brought = this.#versions.get(base ?? '');
    return brought === undefined ? base : brought;
  }

  /** Undefined where the primary has another version, or what there is to delete is none. */
  async #put(key: string, record: JournalRecord, over: string | null): Promise<Brought | undefined> {
    if (this.#endsNow(record))
      return over !== null && (await deleteIf(this.#primary, key, over)) ? { version: null } : undefined;
    const lifetime = record.endsAtMs === null ? {} : { ttlMs: record.endsAtMs - this.#clock.now() };
    const version = await this.#primary.set(key, record.value, { ifVersion: over, ...lifetime });
    return version === undefined ? undefined : { version };
  }

  /** Whether what the primary has is from before the record, as far as anybody knows. */
  async #mayReplace(key: string, record: JournalRecord, current: Entry | undefined): Promise<boolean> {
    // A record that this one was written over while it was brought.
    if (record.replaced?.includes(digestOf(current?.value))) return true;
    return record.base === undefined && !(await this.#copies.isSince(key, current?.version ?? null, record.atMs));
  }

  #endsNow({ op, endsAtMs }: JournalRecord): boolean {
    return op === 'delete' || (endsAtMs !== null && endsAtMs - this.#clock.now() < 1);
  }

  #remember(recordVersion: string, version: string | null): void {
    this.#versions.set(recordVersion, version);
    for (const oldest of this.#versions.keys()) {
      if (this.#versions.size <= mostRemembered) break;
      this.#versions.delete(oldest);
    }
  }
}
