import {
  type CallOptions,
  migrate,
  type MigrationReport,
  type PostgresClient,
  quoteIdentifier,
} from '@sage-adk/core/postgres';
import { arithmeticSql } from './arithmetic-sql.ts';
import { batchSql } from './batch-sql.ts';
import { decideSql } from './decide-sql.ts';
import { settleSql } from './settle-sql.ts';
import { tablesSql } from './tables-sql.ts';

/** Options of {@link migratePostgresStore}. */
export interface MigratePostgresStoreOptions extends CallOptions {
  /** Where the tables live; made if it is missing. @default the first schema on the connection's search path */
  readonly schema?: string;
}

/**
 * Makes the tables, functions and views of {@link createPostgresStore}, or what of them is missing. Any number of processes may call it at once.
 *
 * Rejects as `migrate` of `@sage-adk/core/postgres` does.
 */
export async function migratePostgresStore(
  client: PostgresClient,
  options: MigratePostgresStoreOptions = {},
): Promise<MigrationReport> {
  const at = prefixOf(options.schema);
  const sql = [tablesSql(at), arithmeticSql(at), decideSql(at), settleSql(at), batchSql(at)].join('\n');
  return migrate({ ...options, client, packageName: 'ratelimit', migrations: [{ id: '1-limiter', sql }] });
}

/** What stands before the names of a schema's tables and functions. */
export function prefixOf(schema: string | undefined): string {
  return schema === undefined ? '' : `${quoteIdentifier(schema)}.`;
}
