import { fromPostgres, type PostgresClient } from '@sage-adk/core/postgres';
import { countPostgres, watchPool } from '@sage-adk/metrics/pools';
import type { PostgresConfig } from '../config/connections.ts';
import { tellAway } from './first-contact.ts';
import { migrateFirst } from './migrated.ts';
import { urlIn } from './url.ts';

/** A pool of connections that come back by themselves. */
export interface PostgresConnection {
  readonly client: PostgresClient;
  close(): Promise<void>;
}

/**
 * Connects and makes the tables. A server that is away is told of, and the tables are made when it is there. Throws `STORAGE_UNREACHABLE` where it refuses.
 *
 * @param migrate makes what is missing; agents that start together may call it at once.
 */
export async function connectPostgres(
  config: PostgresConfig,
  migrate: (client: PostgresClient) => Promise<unknown>,
): Promise<PostgresConnection> {
  const { default: postgres } = await import('postgres');
  const url = await urlIn(config, 'postgres');
  const sql = postgres(url, {
    // Its look-up on each new connection is nobody's promise: where the server dies meanwhile it would end the agent.
    fetch_types: false,
    connect_timeout: 5,
    // In seconds; its own goes up to 20, and a server that is back should not wait for that.
    backoff: (retries) => Math.min(0.02 * 2 ** retries, 1),
    onnotice: () => {},
    connection: { application_name: 'sage-agent' },
  });
  const { client: counted, read } = countPostgres(fromPostgres(sql));
  const { client, migrate: migrateNow } = migrateFirst(counted, migrate);
  const watched = watchPool('postgres', read);
  const close = (seconds: number): Promise<void> => {
    watched[Symbol.dispose]();
    return sql.end({ timeout: seconds });
  };
  try {
    await migrateNow().catch((cause: unknown) => tellAway({ server: 'PostgreSQL', url, key: 'postgres.url' }, cause));
  } catch (error) {
    await close(0);
    throw error;
  }
  return { client, close: () => close(1) };
}
