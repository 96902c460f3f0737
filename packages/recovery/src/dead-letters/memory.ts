/** Dead letters in this process, within a bound of letters and of bytes. */
import { type Clock, requireWhole, systemClock } from '@sage-adk/core';
import {
  type Backend,
  type BackendOptions,
  backendOptions,
  createStore,
  type LetterPage,
  type Taken,
} from './create-store.ts';
import type { PreparedFailure, PreparedLetter } from './draft.ts';
import {
  type DeadLetter,
  type DeadLetterError,
  type DeadLetterFilter,
  type DeadLetterState,
  matches,
} from './letter.ts';
import type { Claim, ClaimedLetter, DeadLetterOptions, DeadLetterStats, DeadLetterStore, PutResult } from './store.ts';

export interface MemoryDeadLetterOptions extends DeadLetterOptions {
  /** @default 10000 */
  readonly maxEntries?: number;
  /** Bytes of all letters together; a later failure of a letter is kept even where it goes beyond. @default 64 MiB */
  readonly maxBytes?: number;
  readonly clock?: Clock;
}

/** Makes a {@link DeadLetterStore} in memory. What is in it is gone with the process or `close()`. */
export function createMemoryDeadLetters(options: MemoryDeadLetterOptions = {}): DeadLetterStore {
  const { maxEntries = 10_000, maxBytes = 64 * 1024 * 1024, clock = systemClock } = options;
  requireWhole('maxEntries', maxEntries, 1);
  requireWhole('maxBytes', maxBytes, 1);
  return createStore(new MemoryBackend(backendOptions(options), { maxEntries, maxBytes }, clock), options, clock);
}

type Record = Omit<DeadLetter, 'payload' | 'headers' | 'error'> & {
  readonly payload: string;
  readonly headers: string;
  readonly error: string;
};

class MemoryBackend implements Backend {
  readonly name = 'memory';
  // In the order of ids but for steps of the clock; pages sort.
  readonly #records = new Map<string, Record>();
  readonly #ids = new Map<string, string>();
  readonly #options: BackendOptions;
  readonly #bounds: { readonly maxEntries: number; readonly maxBytes: number };
  readonly #clock: Clock;
  #bytes = 0;
  #dropped = 0;
  /** No letter expires before. */
  #nextExpiryMs = Number.POSITIVE_INFINITY;

  constructor(options: BackendOptions, bounds: { maxEntries: number; maxBytes: number }, clock: Clock) {
    this.#options = options;
    this.#bounds = bounds;
    this.#clock = clock;
  }

  async put(letter: PreparedLetter): Promise<PutResult | undefined> {
    const nowMs = this.#clock.now();
    this.#expire(nowMs);
    const dedupe = dedupeOf(letter);
    const known = this.#records.get(this.#ids.get(dedupe) ?? '');
    const { failure, delayMs, ...parts } = letter;
    const { retentionMs, maxRedrives } = this.#options;
    const common = {
      ...textsOf(failure),
      failedAtMs: nowMs,
      visibleAtMs: nowMs + delayMs,
      expiresAtMs: nowMs + retentionMs,
    };
    const state: DeadLetterState =
      known !== undefined && (known.state === 'parked' || known.redrives >= maxRedrives) ? 'parked' : 'dead';
    const next: Record =
      known === undefined
        ? { ...parts, ...common, state, failures: 1, redrives: 0, firstFailedAtMs: nowMs, version: 1 }
        : { ...known, ...common, state, failures: known.failures + 1, version: known.version + 1 };
    const dropped = known === undefined ? this.#makeRoom(sizeOf(next), nowMs) : 0;
    if (dropped === undefined) return undefined;
    this.#replace(next);
    this.#ids.set(dedupe, next.id);
    return { id: next.id, duplicate: known !== undefined, dropped };
  }

  async claim({ limit, leaseMs, ids }: Parameters<Backend['claim']>[0]): Promise<Taken> {
    const nowMs = this.#clock.now();
    this.#expire(nowMs);
    const due = [...this.#records.values()]
      .filter(({ id, state, visibleAtMs }) => state !== 'parked' && visibleAtMs <= nowMs && (ids?.includes(id) ?? true))
      .sort((a, b) => a.visibleAtMs - b.visibleAtMs || (a.id < b.id ? -1 : 1))
      .slice(0, limit);
    const letters: ClaimedLetter[] = [];
    for (const record of due) {
      const version = record.version + 1;
      if (record.redrives >= this.#options.maxRedrives) {
        this.#replace({ ...record, state: 'parked', version });
        continue;
      }
      const taken = { ...record, version, redrives: record.redrives + 1, visibleAtMs: nowMs + leaseMs };
      this.#replace({ ...taken, state: 'claimed' });
      letters.push({ ...letterOf(taken), state: 'claimed' });
    }
    return { letters, parked: due.length - letters.length };
  }

  async ack(claim: Claim): Promise<boolean> {
    const held = this.#held(claim);
    if (held !== undefined) this.#delete(held);
    return held !== undefined;
  }

  async nack(claim: Claim, delayMs: number, failure: PreparedFailure | undefined): Promise<boolean> {
    const held = this.#held(claim);
    if (held === undefined) return false;
    const nowMs = this.#clock.now();
    this.#replace({
      ...held,
      ...(failure !== undefined && {
        ...textsOf(failure),
        failures: held.failures + 1,
        failedAtMs: nowMs,
        expiresAtMs: nowMs + this.#options.retentionMs,
      }),
      state: held.redrives >= this.#options.maxRedrives ? 'parked' : 'dead',
      visibleAtMs: nowMs + delayMs,
      version: held.version + 1,
    });
    return true;
  }

  async extend(claim: Claim, leaseMs: number): Promise<boolean> {
    const held = this.#held(claim);
    if (held === undefined) return false;
    this.#replace({ ...held, visibleAtMs: this.#clock.now() + leaseMs });
    return true;
  }

  async release(id: string): Promise<boolean> {
    const nowMs = this.#clock.now();
    this.#expire(nowMs);
    const parked = this.#records.get(id);
    if (parked?.state !== 'parked') return false;
    this.#replace({ ...parked, state: 'dead', redrives: 0, visibleAtMs: nowMs, version: parked.version + 1 });
    return true;
  }

  async page(filter: DeadLetterFilter, cursor: string, limit: number): Promise<LetterPage> {
    this.#expire(this.#clock.now());
    const ids = [...this.#records.keys()].filter((id) => id > cursor).sort();
    const page = ids.slice(0, limit);
    const letters = page.flatMap((id) => {
      const record = this.#records.get(id);
      return record === undefined ? [] : [letterOf(record)];
    });
    return {
      letters: letters.filter((letter) => matches(letter, filter)),
      nextCursor: ids.length > limit ? page.at(-1) : undefined,
    };
  }

  async remove(letters: readonly Claim[]): Promise<number> {
    const nowMs = this.#clock.now();
    let removed = 0;
    for (const { id, version } of letters) {
      const record = this.#records.get(id);
      if (record?.version !== version || isLeased(record, nowMs)) continue;
      this.#delete(record);
      removed++;
    }
    return removed;
  }

  async stats(): Promise<DeadLetterStats> {
    const nowMs = this.#clock.now();
    this.#expire(nowMs);
    const counts = { dead: 0, claimed: 0, parked: 0 };
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const { state, firstFailedAtMs } of this.#records.values()) {
      counts[state]++;
      oldestMs = Math.min(oldestMs, firstFailedAtMs);
    }
    const isEmpty = this.#records.size === 0;
    return { ...counts, dropped: this.#dropped, ...(!isEmpty && { oldestAgeMs: Math.max(0, nowMs - oldestMs) }) };
  }

  async close(): Promise<void> {
    this.#records.clear();
    this.#ids.clear();
    this.#bytes = 0;
  }

  #held({ id, version }: Claim): Record | undefined {
    const record = this.#records.get(id);
    return record?.version === version && record.state === 'claimed' ? record : undefined;
  }

  #replace(record: Record): void {
    const before = this.#records.get(record.id);
    this.#bytes += sizeOf(record) - (before === undefined ? 0 : sizeOf(before));
    this.#records.set(record.id, record);
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, record.expiresAtMs);
  }

  #delete(record: Record): void {
    this.#records.delete(record.id);
    this.#ids.delete(dedupeOf(record));
    this.#bytes -= sizeOf(record);
  }

  /** How many letters it removed, or undefined where it may not or cannot. */
  #makeRoom(bytes: number, nowMs: number): number | undefined {
    const { maxEntries, maxBytes } = this.#bounds;
    const victims: Record[] = [];
    let entriesLeft = maxEntries - this.#records.size - 1;
    let bytesLeft = maxBytes - this.#bytes - bytes;
    for (const record of this.#options.whenFull === 'drop-oldest' ? this.#records.values() : []) {
      if (entriesLeft >= 0 && bytesLeft >= 0) break;
      if (isLeased(record, nowMs)) continue;
      victims.push(record);
      entriesLeft++;
      bytesLeft += sizeOf(record);
    }
    if (entriesLeft < 0 || bytesLeft < 0) return undefined;
    for (const victim of victims) this.#delete(victim);
    this.#dropped += victims.length;
    return victims.length;
  }

  #expire(nowMs: number): void {
    if (nowMs < this.#nextExpiryMs) return;
    this.#nextExpiryMs = Number.POSITIVE_INFINITY;
    for (const record of this.#records.values()) {
      if (record.expiresAtMs <= nowMs && !isLeased(record, nowMs)) this.#delete(record);
      else this.#nextExpiryMs = Math.min(this.#nextExpiryMs, record.expiresAtMs);
    }
  }
}

function isLeased({ state, visibleAtMs }: Record, nowMs: number): boolean {
  return state === 'claimed' && visibleAtMs > nowMs;
}

function dedupeOf({ source, dedupeKey }: { readonly source: string; readonly dedupeKey: string }): string {
  return JSON.stringify([source, dedupeKey]);
}

function textsOf({ error, fingerprint }: PreparedFailure): { readonly error: string; readonly fingerprint: string } {
  return { error, fingerprint };
}

function sizeOf({ source, dedupeKey, payload, headers, error }: Record): number {
  return Buffer.byteLength(source + dedupeKey + payload + headers + error);
}

function letterOf(record: Record): DeadLetter {
  return {
    ...record,
    payload: JSON.parse(record.payload),
    headers: JSON.parse(record.headers) as DeadLetter['headers'],
    error: JSON.parse(record.error) as DeadLetterError,
  };
}
