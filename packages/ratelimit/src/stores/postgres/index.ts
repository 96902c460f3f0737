export type { AuditOptions } from './audit.ts';
export { migratePostgresStore, type MigratePostgresStoreOptions } from './migrate.ts';
export { createPostgresStore, type PostgresStore, type PostgresStoreOptions } from './postgres-store.ts';
