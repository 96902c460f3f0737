/** Entries in PostgreSQL, one row each. */
import {
  type KeyValueStore,
  type ListOptions,
  type Page,
  requireNumber,
  requireOption,
  requireWhole,
  type SetOptions,
  type StoreCallOptions,
} from '@sage-adk/core';
import { migrate, type MigrateOptions, type MigrationReport, type PostgresClient } from '@sage-adk/core/postgres';
import { observed } from '../observed.ts';
import { escapeKey, jsonOf, justAbove, unescapeKey } from '../value.ts';
import { migrations, type Statements, statementsOf } from './sql.ts';

export interface PostgresStoreOptions {
  /** From `fromPostgres` or `fromPg` of `@sage-adk/core/postgres`. Somebody else opens and closes what is under it. */
  readonly client: PostgresClient;
  /** Keeps these entries apart from others of the table, also in metrics. @default 'default' */
  readonly namespace?: string;
  /** Where the table is. @default the first schema of the connection's search path */
  readonly schema?: string;
  /** How long one call may take. @default that of the client */
  readonly deadlineMs?: number;
}

export interface PostgresStore extends KeyValueStore {
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes the table of {@link createPostgresStore}; any number of processes may call it at once. */
export function migrateStorage(
  options: Pick<MigrateOptions, 'client' | 'schema' | 'deadlineMs' | 'signal' | 'dryRun'>,
): Promise<MigrationReport> {
  return migrate({ ...options, packageName: '@sage-adk/recovery/storage', migrations });
}

const sweepEvery = 256;

/**
 * Makes a {@link KeyValueStore} in PostgreSQL 12 or later, whose table {@link migrateStorage} made. Keys may have 2,600 bytes.
 *
 * Entries expire by the server's time; each 256th write removes up to 500 rows that expired. `close()` leaves the client open.
 */
export function createPostgresStore({
  client,
  namespace = 'default',
  schema,
  deadlineMs,
}: PostgresStoreOptions): PostgresStore {
  requireOption('namespace', namespace, 'a name without zero bytes', (name) => name !== '' && !name.includes('\0'));
  const rows = new Rows(client, statementsOf(schema), namespace, deadlineMs);
  const close = () => rows.settle();
  return { ...observed('postgres', namespace, rows), close, [Symbol.asyncDispose]: close };
}

class Rows implements Omit<KeyValueStore, 'close'> {
  readonly #client: PostgresClient;
  readonly #statements: Statements;
  readonly #namespace: string;
  readonly #deadlineMs: number | undefined;
  #writes = 0;
  #sweeping: Promise<unknown> = Promise.resolve();

  constructor(client: PostgresClient, statements: Statements, namespace: string, deadlineMs: number | undefined) {
    this.#client = client;
    this.#statements = statements;
    this.#namespace = namespace;
    this.#deadlineMs = deadlineMs;
  }

  async get(key: string, options?: StoreCallOptions) {
    const [row] = await this.#query<{ value: string; version: string }>(
      this.#statements.get,
      [escapeKey(key)],
      options,
    );
    return row && { value: JSON.parse(row.value) as unknown, version: row.version };
  }

  async set(key: string, value: unknown, options: SetOptions = {}): Promise<string | undefined> {
    const { ttlMs, ifVersion } = options;
    if (ttlMs !== undefined) requireNumber('ttlMs', ttlMs, 1);
    const { set, setAbsent, setOver } = this.#statements;
    const values = [escapeKey(key), jsonOf(key, value), ttlMs ?? null];
    const [row] = await (typeof ifVersion === 'string'
      ? this.#query<Written>(setOver, [...values, ifVersion.replaceAll('\0', '')], options)
      : this.#query<Written>(ifVersion === null ? setAbsent : set, values, options));
    this.#sweepSometimes();
    return row?.version;
  }

  async delete(key: string, options?: StoreCallOptions): Promise<boolean> {
    const [row] = await this.#query<{ live: boolean }>(this.#statements.delete, [escapeKey(key)], options);
    return row?.live === true;
  }

  async list({ prefix = '', limit = 100, cursor = '', ...options }: ListOptions = {}): Promise<Page> {
    requireWhole('limit', limit, 1, 10_000);
    const values = [escapeKey(prefix), cursor, limit + 1];
    const found = await this.#query<{ key: string }>(this.#statements.list, values, options);
    const keys = found.slice(0, limit).map(({ key }) => key);
    const last = keys.at(-1);
    return {
      keys: keys.map(unescapeKey),
      ...(found.length > limit && last !== undefined && { nextCursor: justAbove(last) }),
    };
  }

  async settle(): Promise<void> {
    await this.#sweeping;
  }

  #query<Row>(text: string, values: readonly unknown[], { signal }: StoreCallOptions = {}) {
    return this.#client.query<Row>(text, [this.#namespace, ...values], {
      ...(signal !== undefined && { signal }),
      ...(this.#deadlineMs !== undefined && { deadlineMs: this.#deadlineMs }),
    });
  }

  #sweepSometimes(): void {
    if (++this.#writes % sweepEvery !== 0) return;
    // A sweep that fails costs nothing: the rows are invisible, and a later one takes them.
    this.#sweeping = this.#query(this.#statements.sweep, []).catch(() => {});
  }
}

interface Written {
  readonly version: string;
}
