import type { Clock, Entry, KeyValueStore, SetOptions, StoreCallOptions } from '@sage-adk/core';
import type { DeadLetterStore } from '../../dead-letters/store.ts';

/**
 * What was promised of a write. `primary`: the primary store has it. `replicated-later`: the replica has it in its journal, and it is brought to the primary
 * when that is back; it outlives this process, not the loss of the replica's data. `volatile`: this process has it, and it is lost with it.
 */
export type Durability = 'primary' | 'replicated-later' | 'volatile';

export interface StorageFallbackOptions {
  /** What holds the truth, such as PostgreSQL. */
  readonly primary: KeyValueStore;
  /** What answers when the primary is down, such as Redis; nobody else writes to its namespace but fallbacks of the same primary. */
  readonly replica?: KeyValueStore;
  /** Whether writes are refused with `SAGE_STORAGE_READ_ONLY` while the primary is down, or kept in a journal. @default 'read-only' */
  readonly whenDown?: WhenDown;
  /** Entries that memory keeps copies of, for reads while both stores are down. @default 10000 */
  readonly maxCopies?: number;
  /** From one look whether the primary is back to the next, in milliseconds. @default 1000 */
  readonly probeIntervalMs?: number;
  /** Whether an error means that a store cannot be used now. @default any that is neither permanent nor a cancellation */
  readonly isDown?: (error: unknown) => boolean;
  readonly clock?: Clock;
}

export type WhenDown = 'read-only' | JournalOptions;

export interface JournalOptions {
  /** Where writes go that lost against another one in the primary. */
  readonly deadLetters: DeadLetterStore;
  /** Takes writes into the memory of this process where the replica is down as well. @default false */
  readonly allowVolatileWrites?: boolean;
}

/** `primary`: all is well. `degraded`: the primary is down. `reconciling`: it is back, and the journal is being brought to it. */
export type FallbackState = 'primary' | 'degraded' | 'reconciling';

export interface FallbackEntry extends Entry {
  readonly tier: 'primary' | 'replica' | 'memory';
  /** A copy that the primary may know better. */
  readonly stale: boolean;
}

export interface FallbackWrite {
  /** Undefined where `ifVersion` did not match; then nothing was written. */
  readonly version: string | undefined;
  readonly durability: Durability;
}

/**
 * A store that goes on, with less promised, while its primary is down.
 *
 * While degraded: reads answer from copies and say `stale`; what is not known rejects with `SAGE_STORAGE_UNKNOWN` and never reads as absent; lists reject so
 * too. Writes of several processes are kept apart by compare-and-set when they reach the primary, and by nothing before.
 *
 * While the replica is down and the primary is up, what waits in the replica's journal is not seen.
 */
export interface StorageFallback extends KeyValueStore {
  readonly state: FallbackState;
  get(key: string, options?: StoreCallOptions): Promise<FallbackEntry | undefined>;
  /** `set` that tells what was promised. */
  write(key: string, value: unknown, options?: SetOptions): Promise<FallbackWrite>;
  /** `delete` that tells what was promised. While degraded `deleted` is true whether or not there was an entry. */
  remove(
    key: string,
    options?: StoreCallOptions,
  ): Promise<{ readonly deleted: boolean; readonly durability: Durability }>;
  /** Looks whether the primary is back, and brings the journal to it. Resolves with the state after it. */
  recover(): Promise<FallbackState>;
  [Symbol.asyncDispose](): Promise<void>;
}
