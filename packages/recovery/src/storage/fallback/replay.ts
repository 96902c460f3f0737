import type { Clock, KeyValueStore } from '@sage-adk/core';
import type { DeadLetterStore } from '../../dead-letters/store.ts';
import { storageErrors } from '../errors.ts';
import { type Journal, type JournalRecord, versionOf } from './journal.ts';

const mostRemembered = 10_000;

/** Brings journal records to the primary by compare-and-set. What it was stopped in can be done again. */
export class Replay {
  readonly #primary: KeyValueStore;
  readonly #deadLetters: DeadLetterStore;
  readonly #clock: Clock;
  /** The primary's versions of records that were brought there: later records may have been written over those. */
  readonly #versions = new Map<string, string | null>();
  readonly #settling = new Map<string, Promise<void>>();

  constructor(primary: KeyValueStore, deadLetters: DeadLetterStore, clock: Clock) {
    this.#primary = primary;
    this.#deadLetters = deadLetters;
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
    const { record } = found;
    const outcome = await this.#bring(key, record);
    if (outcome === undefined) {
      // Put first, taken out then: a crash between the two puts it again, under the same key.
      await this.#giveUp(key, record);
    } else this.#remember(versionOf(record), outcome.version);
    await journal.done(key, found);
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
  async #bring(key: string, record: JournalRecord): Promise<{ readonly version: string | null } | undefined> {
    const base = this.#versions.has(record.base ?? '') ? (this.#versions.get(record.base ?? '') ?? null) : record.base;
    const leftMs = record.endsAtMs === null ? undefined : record.endsAtMs - this.#clock.now();
    const isDelete = record.op === 'delete' || (leftMs !== undefined && leftMs < 1);
    if (!isDelete) {
      const ttl = leftMs === undefined ? {} : { ttlMs: leftMs };
      const version = await this.#primary.set(key, record.value, { ifVersion: base, ...ttl });
      if (version !== undefined) return { version };
    } else if (base !== null) {
      // Stores have no conditional delete; a write that ends at once is one.
      const version = await this.#primary.set(key, null, { ifVersion: base, ttlMs: 1 });
      if (version !== undefined) return { version: null };
    }
    // It may be there already: from a call whose answer was lost, or a replay that was cut off.
    const current = await this.#primary.get(key);
    if (isDelete) return current === undefined ? { version: null } : undefined;
    const isSame = current !== undefined && JSON.stringify(current.value) === JSON.stringify(record.value);
    return isSame ? { version: current.version } : undefined;
  }

  #remember(recordVersion: string, version: string | null): void {
    this.#versions.set(recordVersion, version);
    for (const oldest of this.#versions.keys()) {
      if (this.#versions.size <= mostRemembered) break;
      this.#versions.delete(oldest);
    }
  }
}
