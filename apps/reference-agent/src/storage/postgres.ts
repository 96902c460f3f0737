import { fromPostgres, type PostgresClient } from '@sage-adk/core/postgres';
import { countPostgres, watchPool } from '@sage-adk/metrics/pools';
import type { PostgresConfig } from '../config/connections.ts';
import { unreachable, urlIn } from './url.ts';

/** A pool of connections that come back by themselves. */
export interface PostgresConnection {
  readonly client: PostgresClient;
  close(): Promise<void>;
}

/**
 * Connects and makes the tables, or throws `STORAGE_UNREACHABLE`: an agent without its storage does not start.
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
  const { client, read } = countPostgres(fromPostgres(sql));
  const watched = watchPool('postgres', read);
  const close = (seconds: number): Promise<void> => {
    watched[Symbol.dispose]();
    return sql.end({ timeout: seconds });
  };
  try {
    await migrate(client);
  } catch (cause) {
    await close(0);
    throw unreachable('PostgreSQL', url, 'postgres.url', cause);
  }
  return { client, close: () => close(1) };
}
