/** Explicit schema migrations: an ordered list, applied once by whichever process comes first, all of it or nothing. */
import { requireOption } from '../errors/options.ts';
import { isSageError } from '../errors/sage-error.ts';
import { type CallOptions, type PostgresClient, type PostgresQueries, quoteIdentifier } from './client.ts';
import { postgresErrors } from './errors.ts';
import { checksumOf, type Migration, pendingOf, type RecordedMigration, requireUnique } from './plan.ts';

export interface MigrateOptions extends CallOptions {
  readonly client: PostgresClient;
  /** Whose migrations they are; ids of two packages don't meet. */
  readonly packageName: string;
  readonly migrations: readonly Migration[];
  /** Where the tables live; made if it is missing. Migrations find it first on their search path. @default the first schema on the connection's search path */
  readonly schema?: string;
  /** The advisory lock under which one process at a time migrates. @default one for all packages of this project */
  readonly lockKey?: bigint;
  /** Only says what is pending. Changes nothing, and needs no right to. @default false */
  readonly dryRun?: boolean;
  /** How long all of it may take, the wait for other processes included. @default 60000 */
  readonly deadlineMs?: number;
}

export interface MigrationReport {
  /** Ids of the migrations that this call applied. */
  readonly applied: readonly string[];
  /** Ids of those that are still to be applied, after a dry run. */
  readonly pending: readonly string[];
}

/** The first eight bytes of the SHA-256 of "sage-adk/migrations". */
const defaultLockKey = -7_975_068_395_677_308_156n;

/**
 * Applies the migrations that the database does not have yet, in one transaction, and remembers them in the table `sage_migrations`.
 *
 * Any number of processes may call it at once. With nothing to apply it reads and changes nothing. Rejects with `SAGE_POSTGRES_MIGRATION_CHANGED`,
 * `_OUT_OF_ORDER` or `_FAILED`, which name the migration, or as `PostgresClient.transaction` does.
 *
 * @example
 * ```ts
 * await migrate({ client, packageName: 'billing', migrations: [{ id: '1-invoices', sql: 'create table invoices (id text primary key)' }] });
 * ```
 */
export async function migrate({
  client,
  packageName,
  migrations,
  schema,
  lockKey = defaultLockKey,
  dryRun = false,
  deadlineMs = 60_000,
  signal,
}: MigrateOptions): Promise<MigrationReport> {
  requireOption('packageName', packageName, 'a name', (name) => name !== '');
  if (schema !== undefined) requireOption('schema', schema, 'a name', (name) => name !== '' && !name.includes('\0'));
  requireUnique(migrations);
  const call: CallOptions = { deadlineMs, ...(signal !== undefined && { signal }) };
  const ledger = new Ledger(packageName, schema);

  const pending = pendingOf(
    packageName,
    migrations,
    await ledger.read({ query: (text, values) => client.query(text, values, call) }),
  );
  if (dryRun || pending.length === 0) return { applied: [], pending: pending.map(({ id }) => id) };
  const applied = await client.transaction(async (queries) => {
    // So that the server gives up as well when this process is gone; a little later, so that the deadline is ours.
    await queries.query(`select set_config('statement_timeout', $1, true)`, [
      String(Math.min(deadlineMs + 1_000, 2 ** 31 - 1)),
    ]);
    await queries.query('select pg_advisory_xact_lock($1::bigint)', [String(lockKey)]);
    await ledger.prepare(queries);
    const left = pendingOf(packageName, migrations, await ledger.read(queries));
    for (const migration of left) await apply(queries, migration, ledger);
    return left;
  }, call);
  return { applied: applied.map(({ id }) => id), pending: [] };
}

async function apply(queries: PostgresQueries, migration: Migration, ledger: Ledger): Promise<void> {
  const { id, sql } = migration;
  try {
    await queries.query(sql);
  } catch (error) {
    if (!isSageError(error, postgresErrors.QUERY_FAILED.code)) throw error;
    const reason = String(error.details['reason']);
    throw postgresErrors.MIGRATION_FAILED({ packageName: ledger.packageName, id, reason }, { cause: error });
  }
  await ledger.record(queries, migration);
}

/** The table in which applied migrations are remembered, one for all packages of a schema. */
class Ledger {
  readonly packageName: string;
  readonly #schema: string | undefined;
  readonly #table: string;

  constructor(packageName: string, schema: string | undefined) {
    this.packageName = packageName;
    this.#schema = schema === undefined ? undefined : quoteIdentifier(schema);
    this.#table = this.#schema === undefined ? 'sage_migrations' : `${this.#schema}.sage_migrations`;
  }

  /** Nothing where there is no table yet. */
  async read(queries: PostgresQueries): Promise<readonly RecordedMigration[]> {
    const [found] = await queries.query<{ exists: boolean }>('select to_regclass($1::text) is not null as exists', [
      this.#table,
    ]);
    if (found?.exists !== true) return [];
    return queries.query<RecordedMigration>(`select id, checksum from ${this.#table} where package = $1`, [
      this.packageName,
    ]);
  }

  /** Makes the schema and the table if they are missing, and has the migrations find the schema first. */
  async prepare(queries: PostgresQueries): Promise<void> {
    if (this.#schema !== undefined) {
      // Asked first: CREATE SCHEMA IF NOT EXISTS needs the right to create even where it creates nothing.
      const [found] = await queries.query<{ exists: boolean }>(
        'select to_regnamespace($1::text) is not null as exists',
        [this.#schema],
      );
      if (found?.exists !== true) await queries.query(`create schema ${this.#schema}`);
      await queries.query(`select set_config('search_path', $1 || ', ' || current_setting('search_path'), true)`, [
        this.#schema,
      ]);
    }
    await queries.query(`create table if not exists ${this.#table} (
      package text not null,
      id text not null,
      checksum text not null,
      applied_at timestamptz not null default now(),
      primary key (package, id)
    )`);
  }

  async record(queries: PostgresQueries, migration: Migration): Promise<void> {
    const values = [this.packageName, migration.id, checksumOf(migration)];
    await queries.query(`insert into ${this.#table} (package, id, checksum) values ($1, $2, $3)`, values);
  }
}
