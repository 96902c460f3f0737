/** PostgreSQL, then Redis, then memory, with what was promised told for each write. */
import {
  type Clock,
  emit,
  type KeyValueStore,
  type ListOptions,
  requireNumber,
  requireWhole,
  type SetOptions,
  type StoreCallOptions,
  systemClock,
  type Timer,
  verdictOf,
} from '@sage-adk/core';
import { storageErrors } from '../errors.ts';
import { createMemoryStore } from '../memory-store.ts';
import type {
  FallbackEntry,
  FallbackState,
  FallbackWrite,
  StorageFallback,
  StorageFallbackOptions,
} from './contract.ts';
import { Copies } from './copies.ts';
import { CopyOrder } from './copy-order.ts';
import { Degraded, type Tier } from './degraded.ts';
import { unlessDeleted } from './deletion.ts';
import { Replay } from './replay.ts';

/**
 * Makes a store that falls back from `primary` to `replica` to memory. It closes none of the stores it was given.
 *
 * @example
 * ```ts
 * const storage = createStorageFallback({ primary, replica, whenDown: { deadLetters } });
 * const { durability } = await storage.write('session:1', session);
 * ```
 */
export function createStorageFallback(options: StorageFallbackOptions): StorageFallback {
  requireWhole('maxCopies', options.maxCopies ?? 10_000, 1);
  requireNumber('probeIntervalMs', options.probeIntervalMs ?? 1_000, 1);
  const fallback = new Fallback(options);
  const close = () => fallback.close();
  return {
    get state() {
      return fallback.state;
    },
    get: (key, call) => fallback.get(key, call),
    write: (key, value, call) => fallback.write(key, value, call),
    set: async (key, value, call) => (await fallback.write(key, value, call)).version,
    remove: (key, call) => fallback.remove(key, call),
    delete: async (key, call) => (await fallback.remove(key, call)).deleted,
    list: (call) => fallback.list(call),
    recover: () => fallback.recover(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const saysDown = (error: unknown): boolean => {
  const { category, outcome } = verdictOf(error);
  return category !== 'permanent' && outcome !== 'cancelled';
};

class Fallback {
  state: FallbackState;
  readonly #primary: KeyValueStore;
  readonly #copies: Copies;
  readonly #order = new CopyOrder();
  readonly #degraded: Degraded;
  readonly #replay: Replay | undefined;
  readonly #isDown: (error: unknown) => boolean;
  readonly #clock: Clock;
  readonly #probeIntervalMs: number;
  #timer: Timer | undefined;
  #reconciling: Promise<void> | undefined;
  #journalGrew = false;
  #closed = false;

  constructor(options: StorageFallbackOptions) {
    const { primary, replica, whenDown = 'read-only', maxCopies = 10_000 } = options;
    const { clock = systemClock, isDown = saysDown, probeIntervalMs = 1_000 } = options;
    const journal = whenDown === 'read-only' ? undefined : whenDown;
    const memory = createMemoryStore({ namespace: 'fallback', maxEntries: maxCopies, whenFull: 'drop-oldest', clock });
    const volatile = createMemoryStore({ namespace: 'fallback-journal', maxEntries: maxCopies, clock });
    this.#primary = primary;
    this.#isDown = isDown;
    this.#clock = clock;
    this.#probeIntervalMs = probeIntervalMs;
    this.#copies = new Copies(memory, replica, clock);
    this.#degraded = new Degraded({ replica, volatile, copies: this.#copies, journal, clock });
    this.#replay = journal && new Replay(primary, journal.deadLetters, this.#copies, clock);
    // A process before this one may have left a journal.
    this.state = journal === undefined ? 'primary' : 'reconciling';
  }

  get(key: string, options?: StoreCallOptions): Promise<FallbackEntry | undefined> {
    return this.#serve<FallbackEntry | undefined>(
      key,
      async () => {
        const ask = async () => unlessDeleted(await this.#primary.get(key, options));
        const atMs = this.#clock.now();
        const entry = await this.#order.read(key, ask, (found) => this.#copies.read(key, found, atMs));
        return entry && { ...entry, tier: 'primary', stale: false };
      },
      () => this.#degraded.get(key),
    );
  }

  async write(key: string, value: unknown, options: SetOptions = {}): Promise<FallbackWrite> {
    const { ttlMs } = options;
    if (ttlMs !== undefined) requireNumber('ttlMs', ttlMs, 1);
    return this.#serve<FallbackWrite>(
      key,
      async () => {
        const ask = () => this.#primary.set(key, value, options);
        const version = await this.#order.write(key, ask, async (written) => {
          const nowMs = this.#clock.now();
          const endsAtMs = ttlMs === undefined ? null : nowMs + ttlMs;
          if (written !== undefined) await this.#copies.written(key, { value, version: written }, endsAtMs, nowMs);
        });
        return { version, durability: 'primary' };
      },
      () => this.#noteJournal(this.#degraded.write(key, { op: 'set', value }, options)),
    );
  }

  remove(key: string, options?: StoreCallOptions) {
    return this.#serve<Awaited<ReturnType<StorageFallback['remove']>>>(
      key,
      async () => {
        const ask = () => this.#primary.delete(key, options);
        const keep = (hadEntry: boolean) => this.#copies.deleted(key, hadEntry, this.#clock.now());
        const deleted = await this.#order.write(key, ask, keep);
        return { deleted, durability: 'primary' };
      },
      async () => {
        const { durability } = await this.#noteJournal(this.#degraded.write(key, { op: 'delete', value: null }, {}));
        return { deleted: true, durability };
      },
    );
  }

  async list(options?: ListOptions) {
    if (this.state === 'reconciling') await this.recover();
    return this.#serve(
      undefined,
      () => this.#primary.list(options),
      () => Promise.reject(unknownKeys()),
    );
  }

  async recover(): Promise<FallbackState> {
    if (this.state === 'degraded') {
      try {
        await this.#primary.get('sage-fallback-probe');
        this.#change('reconciling', 'the primary answers');
      } catch (error) {
        if (!this.#isDown(error)) throw error;
        this.#probeLater();
        return this.state;
      }
    }
    // One that is under way may have failed before the primary was back.
    await this.#reconciling;
    if (this.state === 'reconciling') await this.#reconcile();
    return this.state;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#reconciling?.catch(() => {});
  }

  /** The primary's answer, or that of the others where it is down. */
  async #serve<T>(key: string | undefined, ask: () => Promise<T>, otherwise: () => Promise<T>): Promise<T> {
    if (this.state === 'degraded') return otherwise();
    let failure: unknown;
    try {
      if (this.state === 'reconciling' && key !== undefined) await this.#settle(key);
      return await ask();
    } catch (error) {
      if (!this.#isDown(error)) throw error;
      failure = error;
    }
    this.#change('degraded', String(failure));
    try {
      return await otherwise();
    } catch (error) {
      // The call may have taken effect in the primary: its own error says so, "read-only" would deny it.
      throw this.#degraded.isReadOnly ? failure : error;
    }
  }

  /** Before the primary is asked for a key, it gets what the journal has of it. */
  async #settle(key: string): Promise<void> {
    // So that somebody brings the rest as well, where a process before this one left it.
    void this.#reconcile().catch(() => {});
    const journals: Tier[] = [];
    for (const tier of this.#degraded.journals) {
      // A journal that cannot be read now is brought later; compare-and-set keeps its records from doing harm. To wait for it would make the replica's outage
      // one of the primary.
      if (await tier.journal.find(key).then(Boolean, () => false)) journals.push(tier);
    }
    await this.#replay?.settle(
      key,
      journals.map(({ journal }) => journal),
    );
  }

  #reconcile(): Promise<void> {
    this.#reconciling ??= this.#bringAll().finally(() => (this.#reconciling = undefined));
    return this.#reconciling;
  }

  async #bringAll(): Promise<void> {
    const failures: unknown[] = [];
    try {
      do {
        this.#journalGrew = false;
        for (const { journal } of this.#degraded.journals) {
          for await (const key of journal.keys()) {
            await this.#replay?.settle(key, [journal]).catch((error: unknown) => void failures.push(error));
          }
        }
      } while (this.#journalGrew);
      if (failures.length > 0) throw failures[0];
      if (this.state === 'reconciling') this.#change('primary', 'the journal is empty');
    } catch {
      // The primary, the replica or the dead letters are down: later.
      this.#probeLater();
    }
  }

  /** A write that was on its way into the journal while the primary came back. */
  async #noteJournal(writing: Promise<FallbackWrite>): Promise<FallbackWrite> {
    const written = await writing;
    this.#journalGrew = true;
    if (this.state === 'primary') {
      this.#change('reconciling', 'a late write');
      void this.#reconcile();
    }
    return written;
  }

  #change(to: FallbackState, reason: string): void {
    if (this.state === to) return;
    this.state = to;
    if (to !== 'degraded') return;
    emit('error.critical', { source: 'storage', reason: 'degraded', message: reason });
    this.#probeLater();
  }

  #probeLater(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    this.#timer = this.#clock.setTimer(
      () => void this.recover().catch(() => this.#probeLater()),
      this.#probeIntervalMs,
    );
  }
}

function unknownKeys(): Error {
  return storageErrors.UNKNOWN({ what: 'all keys' });
}
