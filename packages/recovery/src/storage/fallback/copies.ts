/** What was last known of entries, for reads while degraded and for what a write is made over. Copies may be lost or refused: no promise hangs on them. */
import type { Clock, Entry, KeyValueStore } from '@sage-adk/core';

/** What was last known of an entry of the primary, or of the journal. */
export interface Copy {
  /** Null for one that was deleted. */
  readonly version: string | null;
  /** What a write of the key is made over: `version`, or the journal's record of its deletion. */
  readonly base: string | null;
  readonly value: unknown;
  readonly endsAtMs: number | null;
  /** Wall-clock time of the write that it is of, or at which a read of it began. */
  readonly atMs: number;
  /** Whether it is of a write, and not of a read. */
  readonly written: boolean;
}

/** Where a copy lies. */
export type CopyTier = 'replica' | 'memory';

type Tier = { readonly store: KeyValueStore; readonly name: CopyTier };

const prefix = 'copy:';
// Nobody tells when what was read is deleted or ends, nor counts the keys that are deleted: without an end such copies would fill the replica.
const readForMs = 24 * 60 * 60 * 1_000;
const deletedForMs = 60 * 60 * 1_000;

/** Copies in memory and, where there is one, in the replica, which other processes read and renew as well. */
export class Copies {
  readonly #memory: Tier;
  readonly #tiers: readonly Tier[];
  readonly #clock: Clock;

  constructor(memory: KeyValueStore, replica: KeyValueStore | undefined, clock: Clock) {
    this.#memory = { store: memory, name: 'memory' };
    this.#tiers = replica === undefined ? [this.#memory] : [{ store: replica, name: 'replica' }, this.#memory];
    this.#clock = clock;
  }

  /** The replica's; memory's where that is later, or the replica has none or is down. */
  async find(key: string): Promise<(Copy & { readonly tier: CopyTier }) | undefined> {
    let last: (Copy & { readonly tier: CopyTier }) | undefined;
    for (const tier of this.#tiers) {
      const copy = await this.#at(tier, key);
      if (copy !== undefined && copy.atMs > (last?.atMs ?? -1)) last = { ...copy, tier: tier.name };
    }
    return last;
  }

  /** Keeps what the primary said to a read: no more than that it is gone where it is, and nothing of what nobody knows. */
  async read(key: string, entry: Entry | undefined, atMs: number): Promise<void> {
    const own = await this.#at(this.#memory, key);
    // The replica got it when memory did.
    if (own !== undefined && own.version === (entry?.version ?? null)) return;
    const known = await this.find(key);
    // Somebody wrote it after the read began.
    if (known !== undefined && known.atMs > atMs) return;
    if (entry === undefined) {
      if (known !== undefined && known.version !== null) await this.#forget(key);
      return;
    }
    const { value, version } = entry;
    if (known?.version === version && known.written) {
      const { tier: _, ...written } = known;
      await this.#keep([this.#memory], key, written);
      return;
    }
    await this.#keep(
      this.#tiers,
      key,
      { version, base: version, value, endsAtMs: null, atMs, written: false },
      readForMs,
    );
  }

  /** Keeps what a write left in the primary. */
  written(key: string, { value, version }: Entry, endsAtMs: number | null, atMs: number): Promise<void> {
    return this.#keep(this.#tiers, key, { version, base: version, value, endsAtMs, atMs, written: true });
  }

  /** Keeps that the primary has no such entry any more, where anything was known of it. */
  async deleted(key: string, hadEntry: boolean, atMs: number): Promise<void> {
    if (!hadEntry && (await this.find(key)) === undefined) return;
    const copy = { version: null, base: null, value: null, endsAtMs: null, atMs, written: true };
    await this.#keep(this.#tiers, key, copy, deletedForMs);
  }

  /** Keeps for this process what it wrote into a journal. */
  journaled(key: string, copy: Omit<Copy, 'written'>): Promise<void> {
    return this.#keep([this.#memory], key, { ...copy, written: false });
  }

  /** Whether this version of the primary, null for none, is known to be of a write at that time or later. */
  async isSince(key: string, version: string | null, atMs: number): Promise<boolean> {
    const copies = await Promise.all(this.#tiers.map((tier) => this.#at(tier, key)));
    return copies.some((copy) => copy?.version === version && copy.written && copy.atMs >= atMs);
  }

  async #at({ store }: Tier, key: string): Promise<Copy | undefined> {
    const copy = (await store.get(prefix + key).catch(() => undefined))?.value as Copy | undefined;
    return copy === undefined || (copy.endsAtMs !== null && copy.endsAtMs <= this.#clock.now()) ? undefined : copy;
  }

  async #keep(tiers: readonly Tier[], key: string, copy: Copy, forMs?: number): Promise<void> {
    const ttlMs = copy.endsAtMs === null ? forMs : Math.max(1, copy.endsAtMs - this.#clock.now());
    const options = ttlMs === undefined ? {} : { ttlMs };
    await Promise.all(tiers.map(({ store }) => store.set(prefix + key, copy, options).catch(() => {})));
  }

  async #forget(key: string): Promise<void> {
    await Promise.all(this.#tiers.map(({ store }) => store.delete(prefix + key).catch(() => {})));
  }
}
