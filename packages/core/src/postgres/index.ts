export {
  type CallOptions,
  type PostgresClient,
  type PostgresQueries,
  type PostgresRow,
  quoteIdentifier,
} from './client.ts';
export type { PostgresClientOptions } from './create-client.ts';
export { postgresErrors } from './errors.ts';
export { fromPg, type PgConnection, type PgPool, type PgResult } from './from-pg.ts';
export { fromPostgres, type PostgresJs, type PostgresJsQueries, type PostgresJsQuery } from './from-postgres.ts';
export { migrate, type MigrateOptions, type MigrationReport } from './migrate.ts';
export type { Migration } from './plan.ts';
