import type { PostgresClient } from '@sage-adk/core/postgres';
import type { PoolReading } from './watch-pool.ts';

/** A client whose calls are counted, for a driver whose pool does not say how it is used. */
export interface CountedPostgres {
  /** To be used in place of the one that was given. */
  readonly client: PostgresClient;
  /** Calls hold a connection as far as there are any, and the others wait for one. */
  readonly read: () => PoolReading;
}

/**
 * Counts the calls of a client that `fromPostgres` made: postgres.js does not tell of its connections.
 *
 * @param max the `max` that postgres.js was given; its own default is 10
 */
export function countPostgres(client: PostgresClient, max: number = 10): CountedPostgres {
  let calls = 0;
  const count = async <T>(call: () => Promise<T>): Promise<T> => {
    calls++;
    try {
      return await call();
    } finally {
      calls--;
    }
  };
  return {
    client: {
      query: (text, values, options) => count(() => client.query(text, values, options)),
      transaction: (work, options) => count(() => client.transaction(work, options)),
    },
    read: () => ({ active: Math.min(calls, max), waiting: Math.max(0, calls - max), max }),
  };
}
