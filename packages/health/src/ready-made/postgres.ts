import type { CheckSpec } from '../checks/spec.ts';
import type { NamedCheck } from './named.ts';

/** What is needed of a client: a pool or a client of `pg`, and what core's `fromPg` and `fromPostgres` make. */
export interface PostgresQueries {
  query(text: string): Promise<unknown>;
}

export interface PostgresCheckOptions extends NamedCheck {
  readonly client: PostgresQueries;
}

/** Whether PostgreSQL answers a query, the wait for a connection of a pool included. */
export function postgresCheck({ client, name = 'postgres', ...watching }: PostgresCheckOptions): CheckSpec {
  return {
    ...watching,
    name,
    async check() {
      await client.query('SELECT 1');
    },
  };
}
