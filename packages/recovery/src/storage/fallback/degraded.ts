import type { Clock, Entry, KeyValueStore, SetOptions } from '@sage-adk/core';
import { storageErrors } from '../errors.ts';
import { jsonOf } from '../value.ts';
import type { Durability, FallbackEntry, FallbackWrite, JournalOptions } from './contract.ts';
import { Copies, type Copy } from './copies.ts';
import { Journal, type JournalEntry, type JournalRecord, versionOf } from './journal.ts';

/** A place that writes can wait in. */
export interface Tier {
  readonly journal: Journal;
  readonly durability: Durability;
  readonly name: 'replica' | 'memory';
}

export interface DegradedOptions {
  readonly replica: KeyValueStore | undefined;
  readonly memory: KeyValueStore;
  readonly volatile: KeyValueStore;
  readonly journal: JournalOptions | undefined;
  readonly clock: Clock;
}

const mostTries = 20;

/** Reads and writes without the primary. */
export class Degraded {
  /** In the order in which they are brought to the primary: memory's were written over the replica's. */
  readonly journals: readonly Tier[];
  readonly isReadOnly: boolean;
  readonly #copies: readonly { readonly copies: Copies; readonly tier: 'replica' | 'memory' }[];
  readonly #clock: Clock;

  constructor({ replica, memory, volatile, journal, clock }: DegradedOptions) {
    const journals: Tier[] = [];
    if (journal !== undefined && replica !== undefined) {
      journals.push({ journal: new Journal(replica), durability: 'replicated-later', name: 'replica' });
    }
    if (journal?.allowVolatileWrites === true) {
      journals.push({ journal: new Journal(volatile), durability: 'volatile', name: 'memory' });
    }
    this.journals = journals;
    this.isReadOnly = journals.length === 0;
    const ownCopies = { copies: new Copies(memory), tier: 'memory' as const };
    this.#copies = replica === undefined ? [ownCopies] : [ownCopies, { copies: new Copies(replica), tier: 'replica' }];
    this.#clock = clock;
  }

  /** Keeps what the primary said, for later. */
  async copy(key: string, entry: Entry | null, ttlMs: number | undefined): Promise<void> {
    const [memory] = this.#copies;
    const known = await memory?.copies.find(key);
    // The replica got it when memory did.
    if (known !== undefined && known.version === (entry?.version ?? null)) return;
    const endsAtMs = ttlMs === undefined ? null : this.#clock.now() + ttlMs;
    const version = entry?.version ?? null;
    const copy: Copy = { version, base: version, value: entry?.value ?? null, endsAtMs };
    await Promise.all(this.#copies.map(({ copies }) => copies.keep(key, copy, ttlMs)));
  }

  async get(key: string): Promise<FallbackEntry | undefined> {
    const found = await this.#lastWrite(key);
    if (found !== undefined) return this.#entryOf(found.entry.record, found.tier.name);
    const copy = await this.#lastCopy(key);
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
      const copy = over === undefined ? await this.#lastCopy(key) : undefined;
      const known = over === undefined ? copy?.version : versionOfEntry(over, this.#clock);
      if (ifVersion !== undefined && known !== undefined && known !== ifVersion) return undefined;
      // Where nothing is known the caller's condition is judged by the primary, and no condition means a new entry.
      const base = over !== undefined ? over.record.base : copy !== undefined ? copy.base : (ifVersion ?? null);
      const endsAtMs = ttlMs === undefined ? null : this.#clock.now() + ttlMs;
      const written = await journal.write(key, { op, value, base, endsAtMs }, over);
      if (written === undefined) continue;
      const version = versionOf(written);
      const own: Copy = { version: op === 'delete' ? null : version, base: version, value, endsAtMs };
      await this.#copies[0]?.copies.keep(key, own, ttlMs);
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

  /** The replica's, which other processes renew as well; memory's where that has none or is down. */
  async #lastCopy(key: string): Promise<(Copy & { readonly tier: 'replica' | 'memory' }) | undefined> {
    for (const { copies, tier } of [...this.#copies].reverse()) {
      const copy = await copies.find(key).catch(() => undefined);
      if (copy !== undefined && (copy.endsAtMs === null || copy.endsAtMs > this.#clock.now())) return { ...copy, tier };
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
