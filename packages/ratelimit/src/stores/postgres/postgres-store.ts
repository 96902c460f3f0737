/** Limiter state in PostgreSQL: exact across processes, one call per decision. */
import { type Clock, requireOption, requireWhole, systemClock } from '@sage-adk/core';
import { type PostgresClient, postgresErrors } from '@sage-adk/core/postgres';
import type { CompiledRule } from '../../compile.ts';
import type {
  Answer,
  Ask,
  DecideRequest,
  ExtendRequest,
  Holding,
  LimiterStore,
  Settlement,
  SettleRequest,
} from '../store.ts';
import { toAnswer, toSettlement } from './answers.ts';
import { type Audit, type AuditOptions, createAudit } from './audit.ts';
import { settleKind } from './batch-sql.ts';
import { Batches } from './batches.ts';
import { decideKinds } from './decide-sql.ts';
import { prefixOf } from './migrate.ts';
import { arrayOf, type BatchCall, numbersOf, type PackedAsks, packAsks, packBatch } from './requests.ts';

/** Options of {@link createPostgresStore}. */
export interface PostgresStoreOptions {
  /** Made by `fromPostgres`, of an `sql` of its own, or `fromPg` of `@sage-adk/core/postgres`; whoever made it closes it. */
  readonly client: PostgresClient;
  /** Where `migratePostgresStore` made the tables. @default the first schema on the connection's search path */
  readonly schema?: string;
  /** How long a call may take. @default 50 */
  readonly deadlineMs?: number;
  /**
   * Statements under way at once, for which the client needs connections. What comes while all are goes together in the next, up to 32 decisions and
   * settlements. @default 2
   */
  readonly lanes?: number;
  /**
   * Whether a rule's state is in LOGGED tables, which a crash of the server keeps; that of others is faster and gone after one. All processes must agree.
   * @default rules of cost and of concurrency, and those whose period is an hour or more
   */
  readonly logged?: (rule: CompiledRule) => boolean;
  /** Which decisions are written down. @default none */
  readonly audit?: AuditOptions;
  /** For deadlines, batches, and for where days and months of a calendar lie. Limits go by the time of the server. */
  readonly clock?: Clock;
}

/** The store, and what its operator calls. */
export interface PostgresStore extends LimiterStore {
  readonly kind: 'postgres';
  /** Removes at most `limit` keys that count no more, and returns how many it removed. Call it now and then; nothing else does. */
  sweep(options: { readonly limit: number }): Promise<number>;
  /** Removes at most `limit` audit rows that are older than `olderThanMs`, and returns how many. */
  pruneAudit(options: { readonly olderThanMs: number; readonly limit: number }): Promise<number>;
  /** Writes the audit rows that wait. */
  flushAudit(): Promise<void>;
  /** Audit rows that wait, and those that were lost because too many did or because they could not be written. */
  auditCounts(): { readonly waiting: number; readonly dropped: number };
}

/**
 * Keeps limits in PostgreSQL 15 or later. Call {@link migratePostgresStore} once before. Each decision is one call, whatever the number of rules: it locks
 * the keys in one order, reads the server's clock, and writes all or nothing. A denial writes nothing. Decisions and settlements that come while others are
 * under way share a call, and so its commit: each is all or nothing by itself, and where the call fails all of them do.
 *
 * A crash of the server empties the UNLOGGED tables (see `logged`); with `synchronous_commit` on it loses no LOGGED decision that was answered. Locks are
 * advisory, of the transaction, so a pooler in transaction mode is fine. The connections must use READ COMMITTED, the default.
 *
 * Calls reject with the errors of `postgresErrors`. After `SAGE_POSTGRES_DEADLINE`, and where `details.sent` is true, the call may have been carried out or
 * not. An `sql` of postgres.js that others use as well also carries it out later, behind a statement of theirs: what a guard has cancelled meanwhile stays
 * charged then.
 *
 * @example
 * ```ts
 * const client = fromPostgres(postgres(url, { fetch_types: false }));
 * await migratePostgresStore(client);
 * const store = createPostgresStore({ client });
 * ```
 */
export function createPostgresStore(options: PostgresStoreOptions): PostgresStore {
  return openPostgresStore(options);
}

/**
 * The store, for tests at a time of their own.
 *
 * @param timeUs what the functions take for the server's time, in microseconds. @default the server's time
 */
export function openPostgresStore(
  { client, schema, deadlineMs = 50, lanes = 2, logged = isLasting, audit, clock = systemClock }: PostgresStoreOptions,
  timeUs?: () => number,
): PostgresStore {
  requireWhole('deadlineMs', deadlineMs, 1, 600_000);
  requireWhole('lanes', lanes, 1, 1_000);
  if (schema !== undefined) requireOption('schema', schema, 'a name', (name) => name !== '' && !name.includes('\0'));
  const at = prefixOf(schema);
  return new Store({
    client,
    at,
    deadlineMs,
    lanes,
    isLogged: logged,
    nowUs: timeUs,
    clock,
    audit: audit && createAudit(client, at, clock, Math.random, audit),
  });
}

interface Parts {
  readonly client: PostgresClient;
  readonly at: string;
  readonly deadlineMs: number;
  readonly lanes: number;
  readonly isLogged: (rule: CompiledRule) => boolean;
  readonly nowUs: (() => number) | undefined;
  readonly clock: Clock;
  readonly audit: Audit | undefined;
}

class Store implements PostgresStore {
  readonly kind = 'postgres';
  readonly #parts: Parts;
  readonly #batches: Batches;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#batches = new Batches({ ...parts, send: async (calls, deadlineMs) => this.#send(calls, deadlineMs) });
  }

  async decide(request: DecideRequest): Promise<Answer> {
    const { kind, asks } = request;
    const { id = '', ttlUs = 0, maxWaitUs = 0 } = request as { id?: string; ttlUs?: number; maxWaitUs?: number };
    const code = kind === 'consume' && request.force === true ? decideKinds.force : decideKinds[kind];
    const size = asks.length;
    const numbers = await this.#batches.call({ ...this.#pack(asks), kind: code, size, id, ttlUs, maxWaitUs });
    const answer = toAnswer(asks, numbers);
    this.#note(request, code === decideKinds.force, answer);
    return answer;
  }

  async settle({ id, asks }: SettleRequest): Promise<Settlement> {
    const call = { ...this.#pack(asks), kind: settleKind, size: asks.length, id, ttlUs: 0, maxWaitUs: 0 };
    const { held, ...settlement } = toSettlement(asks, await this.#batches.call(call));
    for (const [index, ask] of asks.entries()) {
      const units = held[index];
      if (units !== undefined)
        this.#parts.audit?.add({ kind: 'settle', ask, held: units, allowed: true, reservation: id });
    }
    return settlement;
  }

  async extend({ id, asks, ttlUs }: ExtendRequest): Promise<boolean> {
    const { rules, keys, numbers } = this.#pack(asks);
    const types = 'text[], text[], bigint[], text, bigint, bigint';
    return (await this.#call('extend', types, [arrayOf(rules), arrayOf(keys), arrayOf(numbers), id, ttlUs])) === 'true';
  }

  async reset(asks: readonly Ask[]): Promise<void> {
    const { rules, keys, numbers } = this.#pack(asks);
    const { client, at, deadlineMs } = this.#parts;
    const text = `select ${at}sage_limiter_forget($1::text::text[], $2::text::text[], $3::text::bigint[])::text as answer`;
    await client.query(text, [arrayOf(rules), arrayOf(keys), arrayOf(numbers)], { deadlineMs });
  }

  async snapshot(rules: readonly CompiledRule[], limit: number): Promise<readonly Holding[]> {
    const packed = this.#pack(rules.map((rule) => ({ rule, key: '', cost: 0 })));
    const { client, at, deadlineMs } = this.#parts;
    const rows = await client.query<SnapshotRow>(
      `select * from ${at}sage_limiter_snapshot($1::text::text[], $2::text::bigint[], $3::text::int, $4::text::bigint)`,
      [arrayOf(packed.rules), arrayOf(packed.numbers), String(limit), this.#time()],
      { deadlineMs },
    );
    return rows.flatMap(({ rule_index: index, own_key: key, remaining, reset_us: reset }) => {
      const rule = rules[index - 1];
      return rule === undefined ? [] : [{ rule, key, remaining: Number(remaining), resetAfterUs: Number(reset) }];
    });
  }

  async sweep({ limit }: { readonly limit: number }): Promise<number> {
    requireWhole('limit', limit, 1, 1_000_000);
    let removed = 0;
    let last: number;
    do {
      const most = Math.min(mostSwept, limit - removed);
      last = Number(await this.#call('sweep', 'int, bigint', [most], sweepDeadlineMs));
      removed += last;
    } while (last > 0 && removed < limit);
    return removed;
  }

  async pruneAudit({ olderThanMs, limit }: { readonly olderThanMs: number; readonly limit: number }): Promise<number> {
    requireWhole('olderThanMs', olderThanMs, 0, Number.MAX_SAFE_INTEGER);
    requireWhole('limit', limit, 1, 1_000_000);
    const table = `${this.#parts.at}sage_limiter_audit`;
    const rows = await this.#parts.client.query(
      `delete from ${table} where ctid = any (array(select ctid from ${table}
        where at < clock_timestamp() - $1::text::double precision * interval '1 millisecond' limit $2::text::int)) returning 1`,
      [String(olderThanMs), String(limit)],
      { deadlineMs: sweepDeadlineMs },
    );
    return rows.length;
  }

  async flushAudit(): Promise<void> {
    await this.#parts.audit?.flush();
  }

  auditCounts() {
    return this.#parts.audit?.counts() ?? { waiting: 0, dropped: 0 };
  }

  close(): Promise<void> {
    return this.flushAudit();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #pack(asks: readonly Ask[]): PackedAsks {
    const { isLogged, nowUs, clock, audit } = this.#parts;
    return packAsks(asks, {
      nowMs: nowUs === undefined ? clock.now() : nowUs() / 1_000,
      isLogged,
      isAudited: (rule) => audit?.isTransactional(rule) ?? false,
    });
  }

  async #send(calls: readonly BatchCall[], deadlineMs: number): Promise<readonly (readonly number[])[]> {
    const types = 'int[], int[], text[], text[], bigint[], text[], bigint[], bigint[], text[], bigint';
    const numbers = numbersOf(await this.#call('batch', types, packBatch(calls), deadlineMs));
    let from = 0;
    return calls.map(({ kind, size }) => {
      const length = kind === settleKind ? 1 + 2 * size : 3 + 3 * size;
      from += length;
      return numbers.slice(from - length, from);
    });
  }

  /** Calls a function whose last argument is the time. All arguments are sent as texts, which drivers agree on. */
  async #call(
    name: string,
    types: string,
    values: readonly (string | number | null)[],
    deadlineMs = this.#parts.deadlineMs,
  ): Promise<string> {
    const { client, at } = this.#parts;
    const list = types.split(', ').map((type, index) => `$${index + 1}::text::${type}`);
    const texts = [...values.map((value) => (value === null ? null : String(value))), this.#time()];
    const text = `select ${at}sage_limiter_${name}(${list.join(', ')})::text as answer`;
    const [row] = await client.query<{ answer: string }>(text, texts, { deadlineMs });
    if (row === undefined) throw postgresErrors.UNAVAILABLE({ reason: `sage_limiter_${name} returned no row` });
    return row.answer;
  }

  #time(): string | null {
    return this.#parts.nowUs === undefined ? null : String(this.#parts.nowUs());
  }

  #note(request: DecideRequest, forced: boolean, { allowed, findings }: Answer): void {
    const { audit } = this.#parts;
    const { kind } = request;
    if (audit === undefined || kind === 'peek' || kind === 'lower') return;
    const reservation = kind === 'consume' ? undefined : request.id;
    for (const [index, ask] of request.asks.entries()) {
      const fits = findings[index]?.allowed === true;
      audit.add({ kind, ask, held: 0, allowed: forced || (allowed && fits), reservation });
    }
  }
}

interface SnapshotRow {
  readonly rule_index: number;
  readonly own_key: string;
  readonly remaining: string;
  readonly reset_us: string;
}

const hourMs = 3_600_000;
const sweepDeadlineMs = 30_000;
/** Each key takes a lock until its statement ends, and the server has room for some thousand. */
const mostSwept = 500;

/** What must not be forgotten: money, slots whose holders are alive, and what takes long to come back. A month has no length. */
function isLasting({ unit, periodMs }: CompiledRule): boolean {
  return unit === 'cost' || periodMs === undefined || periodMs >= hourMs;
}
