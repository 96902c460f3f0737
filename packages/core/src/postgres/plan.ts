import { createHash } from 'node:crypto';
import { requireOption } from '../errors/options.ts';
import { postgresErrors } from './errors.ts';

/** One step of a schema. Once it was applied anywhere it never changes; what comes later is appended. */
export interface Migration {
  /** Unique in its list. */
  readonly id: string;
  /** One or several statements. All pending migrations run in one transaction, so none that cannot, such as CREATE INDEX CONCURRENTLY. */
  readonly sql: string;
}

/** A migration as the database remembers it. */
export interface RecordedMigration {
  readonly id: string;
  readonly checksum: string;
}

/** Refuses a list in which two migrations have one id. */
export function requireUnique(migrations: readonly Migration[]): void {
  const ids = migrations.map(({ id }) => id);
  requireOption('migrations', ids, 'a list of migrations with an id each that is unique', (list) => {
    return list.every((id) => id !== '') && new Set(list).size === list.length;
  });
}

/**
 * The migrations that are still to run. Those that the database knows and the list does not are of a newer version, which is none of ours to judge.
 *
 * Throws where an applied migration reads differently now, or a pending one stands before an applied one.
 */
export function pendingOf(
  packageName: string,
  migrations: readonly Migration[],
  recorded: readonly RecordedMigration[],
): readonly Migration[] {
  const checksums = new Map(recorded.map(({ id, checksum }) => [id, checksum]));
  const pending: Migration[] = [];
  for (const migration of migrations) {
    const { id } = migration;
    const known = checksums.get(id);
    const [first] = pending;
    if (known === undefined) pending.push(migration);
    else if (first !== undefined) throw postgresErrors.MIGRATION_OUT_OF_ORDER({ packageName, id: first.id, later: id });
    else requireSame(packageName, migration, known);
  }
  return pending;
}

/** Of the SQL as it stands, line endings apart: a checkout may change those. */
export function checksumOf({ sql }: Migration): string {
  return createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');
}

function requireSame(packageName: string, migration: Migration, recorded: string): void {
  const checksum = checksumOf(migration);
  if (checksum !== recorded) {
    throw postgresErrors.MIGRATION_CHANGED({ packageName, id: migration.id, checksum, recorded });
  }
}
