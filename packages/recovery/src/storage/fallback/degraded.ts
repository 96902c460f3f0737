import type { Clock, KeyValueStore, SetOptions } from '@sage-adk/core';
import { storageErrors } from '../errors.ts';
import { jsonOf } from '../value.ts';
import type { Durability, FallbackEntry, FallbackWrite, JournalOptions } from './contract.ts';
import type { Copies } from './copies.ts';
import { Journal, type JournalEntry, type JournalRecord, replacedWith, versionOf } from './journal.ts';

/** A place that writes can wait in. */
export interface Tier {
  readonly journal: Journal;
  readonly durability: Durability;
  readonly name: 'replica' | 'memory';
}

export interface DegradedOptions {
  readonly replica: KeyValueStore | undefined;
  readonly volatile: KeyValueStore;
  readonly copies: Copies;
  readonly journal: JournalOptions | undefined;
  readonly clock: Clock;
}

const mostTries = 20;

/** Reads and writes without the primary. */
export class Degraded {
  /** In the order in which they are brought to the primary: memory's were written over the replica's. */
  readonly journals: readonly Tier[];
  readonly isReadOnly: boolean;
  readonly #copies: Copies;
  readonly #clock: Clock;

  constructor({ replica, volatile, copies, journal, clock }: DegradedOptions) {
    const journals: Tier[] = [];
    if (journal !== undefined && replica !== undefined) {
      journals.push({ journal: new Journal(replica), durability: 'replicated-later', name: 'replica' });
    }
    if (journal?.allowVolatileWrites === true) {
      journals.push({ journal: new Journal(volatile), durability: 'volatile', name: 'memory' });
    }
    this.journals = journals;
    this.isReadOnly = journals.length === 0;
    this.#copies = copies;
    this.#clock = clock;
  }

  async get(key: string): Promise<FallbackEntry | undefined> {
    const found = await this.#lastWrite(key);
    if (found !== undefined) return this.#entryOf(found.entry.record, found.tier.name);
    const copy = await this.#copies.find(key);
    // What was absent may have been made by others since.
    if (copy === undefined || copy.version === null) throw storageErrors.UNKNOWN({ what: `the key "${key}"` });
    return { value: copy.value, version: copy.version, tier: copy.tier, stale: true };
  }

  async write(key: string, write: Pick<JournalRecord, 'op' | 'value'>, options: SetOptions): Promise<FallbackWrite> {
    options.signal?.throwIfAborted();
    jsonOf(key, write.value);
    let refused: unknown;
    for (const tier of await this.#tiersFor(key)) {
      try {
        const version = await this.#writeTo(tier, key, write, options);
        return { version, durability: tier.durability };
      } catch (error) {
        refused = error;
      }
    }
    throw storageErrors.READ_ONLY({ key }, { cause: refused });
  }

  async #writeTo(
    { journal }: Tier,
    key: string,
    { op, value }: Pick<JournalRecord, 'op' | 'value'>,
    { ifVersion, ttlMs }: SetOptions,
  ): Promise<string | undefined> {
    for (let tries = 0; tries < mostTries; tries++) {
      const over = await journal.find(key);
      const copy = over === undefined ? await this.#copies.find(key) : undefined;
      const before = over === undefined ? copy?.version : versionOfEntry(over, this.#clock);
      if (ifVersion !== undefined && before !== undefined && before !== ifVersion) return undefined;
      // Where nothing is known the caller's condition is judged by the primary.
      const base = over !== undefined ? over.record.base : copy !== undefined ? copy.base : ifVersion;
      const atMs = this.#clock.now();
      const endsAtMs = ttlMs === undefined ? null : atMs + ttlMs;
      const replaced = over === undefined ? [] : replacedWith(over.record);
      const record = { op, value, base, endsAtMs, atMs, ...(replaced.length > 0 && { replaced }) };
      const written = await journal.write(key, record, over);
      if (written === undefined) continue;
      const version = versionOf(written);
      const known = op === 'delete' ? null : version;
      await this.#copies.journaled(key, { version: known, base: version, value, endsAtMs, atMs });
      return version;
    }
    throw storageErrors.READ_ONLY({ key });
  }

  /** Memory alone where it has a write of the key that is younger than the replica's; else the replica, then memory. */
  async #tiersFor(key: string): Promise<readonly Tier[]> {
    const own = this.journals.find(({ name }) => name === 'memory');
    return own !== undefined && (await own.journal.find(key)) !== undefined ? [own] : this.journals;
  }

  async #lastWrite(key: string): Promise<{ readonly entry: JournalEntry; readonly tier: Tier } | undefined> {
    for (const tier of [...this.journals].reverse()) {
      const entry = await tier.journal.find(key).catch(() => undefined);
      if (entry !== undefined) return { entry, tier };
    }
    return undefined;
  }

  #entryOf(record: JournalRecord, tier: 'replica' | 'memory'): FallbackEntry | undefined {
    const isGone = record.op === 'delete' || (record.endsAtMs !== null && record.endsAtMs <= this.#clock.now());
    return isGone ? undefined : { value: record.value, version: versionOf(record), tier, stale: true };
  }
}

/** Null where the last write was a delete or has ended. */
function versionOfEntry({ record }: JournalEntry, clock: Clock): string | null {
  const isGone = record.op === 'delete' || (record.endsAtMs !== null && record.endsAtMs <= clock.now());
  return isGone ? null : versionOf(record);
}
