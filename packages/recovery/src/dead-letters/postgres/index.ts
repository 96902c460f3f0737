/** Dead letters in PostgreSQL, one row each. */
import { createHash } from 'node:crypto';
import { type Clock, requireWhole } from '@sage-adk/core';
import {
  migrate,
  type MigrateOptions,
  type MigrationReport,
  type PostgresClient,
  type PostgresQueries,
} from '@sage-adk/core/postgres';
import { escapeKey, unescapeKey } from '../../storage/value.ts';
import {
  type Backend,
  type BackendOptions,
  backendOptions,
  createStore,
  type LetterPage,
  type Taken,
} from '../create-store.ts';
import type { PreparedFailure, PreparedLetter } from '../draft.ts';
import { deadLetterErrors } from '../errors.ts';
import type { DeadLetter, DeadLetterError, DeadLetterFilter } from '../letter.ts';
import type { Claim, ClaimedLetter, DeadLetterOptions, DeadLetterStats, DeadLetterStore, PutResult } from '../store.ts';
import { migrations } from './migrations.ts';
import { type Statements, statementsOf, sweptAtOnce } from './sql.ts';

export interface PostgresDeadLetterOptions extends DeadLetterOptions {
  /** From `fromPostgres` or `fromPg` of `@sage-adk/core/postgres`. Somebody else opens and closes what is under it. */
  readonly client: PostgresClient;
  /** Where the table is. @default the first schema of the connection's search path */
  readonly schema?: string;
  /** With a bound, puts to one queue wait for each other. @default none */
  readonly maxEntries?: number;
  /** How long one call may take. @default that of the client */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

/** Makes the tables of {@link createPostgresDeadLetters}; any number of processes may call it at once. */
export function migrateDeadLetters(
  options: Pick<MigrateOptions, 'client' | 'schema' | 'deadlineMs' | 'signal' | 'dryRun'>,
): Promise<MigrationReport> {
  return migrate({ ...options, packageName: '@sage-adk/recovery/dead-letters', migrations });
}

/** Makes a {@link DeadLetterStore} in PostgreSQL 12 or later, whose tables {@link migrateDeadLetters} made. Claims skip locked rows; times are the server's. */
export function createPostgresDeadLetters(options: PostgresDeadLetterOptions): DeadLetterStore {
  const { client, schema, maxEntries, deadlineMs, clock } = options;
  if (maxEntries !== undefined) requireWhole('maxEntries', maxEntries, 1);
  const backend = new PostgresBackend(client, statementsOf(schema), backendOptions(options), {
    maxEntries,
    deadlineMs,
  });
  return createStore(backend, options, clock);
}

interface Limits {
  readonly maxEntries: number | undefined;
  readonly deadlineMs: number | undefined;
}

const sweepEvery = 256;
/** Before the id of every letter. */
const firstId = '00000000-0000-0000-0000-000000000000';

class PostgresBackend implements Backend {
  readonly name = 'postgres';
  readonly #client: PostgresClient;
  readonly #statements: Statements;
  readonly #options: BackendOptions;
  readonly #limits: Limits;
  #puts = 0;
  /** The last letter that was looked at for its retention. */
  #swept = firstId;
  #sweeping: Promise<unknown> = Promise.resolve();

  constructor(client: PostgresClient, statements: Statements, options: BackendOptions, limits: Limits) {
    this.#client = client;
    this.#statements = statements;
    this.#options = options;
    this.#limits = limits;
  }

  async put(letter: PreparedLetter): Promise<PutResult | undefined> {
    const { maxEntries } = this.#limits;
    const result =
      maxEntries === undefined
        ? await this.#insert(this.#client, letter, 0)
        : await this.#client.transaction((queries) => this.#putBounded(queries, letter, maxEntries), this.#call);
    this.#sweepSometimes();
    return result;
  }

  async claim({ limit, leaseMs, ids }: Parameters<Backend['claim']>[0]): Promise<Taken> {
    const text = this.#statements.claim(limit, ids !== undefined);
    const wanted = ids === undefined ? [] : [JSON.stringify(ids.filter(isUuid))];
    const rows = await this.#query<Row>(text, [leaseMs, this.#options.maxRedrives, ...wanted]);
    const letters = rows.map(letterOf).filter((letter): letter is ClaimedLetter => letter.state === 'claimed');
    return { letters, parked: rows.length - letters.length };
  }

  ack({ id, version }: Claim): Promise<boolean> {
    return this.#did(this.#statements.ack, id, [version]);
  }

  nack({ id, version }: Claim, delayMs: number, failure: PreparedFailure | undefined): Promise<boolean> {
    const { maxRedrives, retentionMs } = this.#options;
    const failed = failure === undefined ? [null, null, null, null] : failureValues(failure);
    return this.#did(this.#statements.nack, id, [version, delayMs, maxRedrives, retentionMs, ...failed]);
  }

  extend({ id, version }: Claim, leaseMs: number): Promise<boolean> {
    return this.#did(this.#statements.extend, id, [version, leaseMs]);
  }

  release(id: string): Promise<boolean> {
    return this.#did(this.#statements.release, id, []);
  }

  async page(filter: DeadLetterFilter, cursor: string, limit: number): Promise<LetterPage> {
    const { ids, state = null, source, fingerprint, category, reason, text } = filter;
    const texts = [source, fingerprint, category, reason].map(escapedOrNull);
    const [inSource = null, ofPrint = null, inCategory = null, forReason = null] = texts;
    const values = [
      ids === undefined ? null : JSON.stringify(ids.filter(isUuid)),
      inSource,
      state,
      ofPrint,
      inCategory,
      forReason,
    ];
    const times = [filter.failedFromMs ?? null, filter.failedBeforeMs ?? null];
    const needle = text === undefined ? null : JSON.stringify(text).slice(1, -1);
    const asked = [cursor || firstId, limit, ...values, needle, ...times];
    const rows = await this.#query<Row & { readonly more: boolean }>(this.#statements.page, asked);
    const last = rows.at(-1);
    return { letters: rows.map(letterOf), nextCursor: last?.more || rows.length === limit ? last?.id : undefined };
  }

  async remove(letters: readonly Claim[]): Promise<number> {
    const wanted = JSON.stringify(letters.filter(({ id }) => isUuid(id)).map(({ id, version }) => ({ id, version })));
    return (await this.#query(this.#statements.remove, [wanted])).length;
  }

  async stats(): Promise<DeadLetterStats> {
    const [row] = await this.#query<DeadLetterStats>(this.#statements.stats, []);
    const { dead = 0, claimed = 0, parked = 0, dropped = 0, oldestAgeMs = 0 } = row ?? {};
    return { dead, claimed, parked, dropped, ...(dead + claimed + parked > 0 && { oldestAgeMs }) };
  }

  async close(): Promise<void> {
    await this.#sweeping;
  }

  get #call() {
    const { deadlineMs } = this.#limits;
    return deadlineMs === undefined ? {} : { deadlineMs };
  }

  async #putBounded(queries: PostgresQueries, letter: PreparedLetter, maxEntries: number) {
    const { queue, whenFull } = this.#options;
    await queries.query(this.#statements.lock, [queue]);
    const asked = [queue, keyOf(queue, escapeKey(letter.source), escapeKey(letter.dedupeKey))];
    const [room] = await queries.query<{ count: number; known: boolean }>(this.#statements.room, asked);
    const over = room === undefined || room.known ? 0 : room.count - maxEntries + 1;
    if (over <= 0) return this.#insert(queries, letter, 0);
    if (whenFull === 'reject-new') return undefined;
    const [row] = await queries.query<{ dropped: number }>(this.#statements.drop, [queue, over]);
    const dropped = row?.dropped ?? 0;
    // Thrown, so that what was dropped in vain comes back.
    if (dropped < over) throw deadLetterErrors.FULL({ queue });
    return this.#insert(queries, letter, dropped);
  }

  async #insert(queries: Pick<PostgresQueries, 'query'>, letter: PreparedLetter, dropped: number): Promise<PutResult> {
    const { queue, retentionMs, maxRedrives } = this.#options;
    const { id, source, dedupeKey, payload, headers, failure, delayMs } = letter;
    const names = [escapeKey(source), escapeKey(dedupeKey)] as const;
    const times = [delayMs, retentionMs, maxRedrives];
    const values = [queue, id, ...names, payload, headers, ...failureValues(failure), ...times, keyOf(queue, ...names)];
    const [row] = await queries.query<{ id: string; duplicate: boolean }>(this.#statements.put, values);
    return { id: row?.id ?? id, duplicate: row?.duplicate === true, dropped };
  }

  #query<R>(text: string, values: readonly unknown[]): Promise<readonly R[]> {
    return this.#client.query<R>(text, [this.#options.queue, ...values], this.#call);
  }

  async #did(text: string, id: string, values: readonly unknown[]): Promise<boolean> {
    return isUuid(id) && (await this.#query(text, [id, ...values])).length === 1;
  }

  #sweepSometimes(): void {
    if (++this.#puts % sweepEvery !== 0) return;
    // A sweep that fails costs nothing: the rows are invisible, and a later one takes them.
    this.#sweeping = this.#sweeping.then(() => this.#sweep()).catch(() => {});
  }

  async #sweep(): Promise<void> {
    const [row] = await this.#query<{ last: string; looked: number }>(this.#statements.sweep, [this.#swept]);
    this.#swept = row?.looked === sweptAtOnce ? row.last : firstId;
  }
}

type Row = Omit<DeadLetter, 'payload' | 'headers' | 'error'> & {
  readonly payload: string;
  readonly headers: string;
  readonly error: string;
};

/** What makes a message the same one, in sixteen bytes: an index of the texts would cost each claim more, and could not hold long ones. */
function keyOf(queue: string, source: string, dedupeKey: string): string {
  return createHash('sha256').update(`${source}\n${dedupeKey}\n${queue}`).digest('hex').slice(0, 32);
}

/** The server would refuse anything else; no letter is called so. */
function isUuid(id: string): boolean {
  return /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id);
}

function letterOf(row: Row): DeadLetter {
  return {
    id: row.id,
    source: unescapeKey(row.source),
    dedupeKey: unescapeKey(row.dedupeKey),
    payload: JSON.parse(row.payload),
    headers: row.headers === '{}' ? {} : (JSON.parse(row.headers) as DeadLetter['headers']),
    error: JSON.parse(row.error) as DeadLetterError,
    fingerprint: row.fingerprint,
    state: row.state,
    failures: row.failures,
    redrives: row.redrives,
    version: row.version,
    firstFailedAtMs: row.firstFailedAtMs,
    failedAtMs: row.failedAtMs,
    visibleAtMs: row.visibleAtMs,
    expiresAtMs: row.expiresAtMs,
  };
}

function failureValues({ error, category, reason, fingerprint }: PreparedFailure): readonly string[] {
  return [error, escapeKey(category), escapeKey(reason), fingerprint];
}

function escapedOrNull(text: string | undefined): string | null {
  return text === undefined ? null : escapeKey(text);
}
