import { fromPg, fromPostgres, type PostgresClient } from '@sage-adk/core/postgres';
import pg from 'pg';
import postgres from 'postgres';

/** A client of one driver and its end. */
export interface Opened {
  readonly client: PostgresClient;
  close(): Promise<void>;
}

interface Driver {
  readonly name: string;
  readonly open: (url: string, max?: number) => Opened;
}

export const drivers: readonly [Driver, Driver] = [
  {
    name: 'postgres.js',
    open(url, max = 8) {
      const sql = postgres(url, { max, fetch_types: false, backoff: () => 0.02, onnotice: () => {} });
      return { client: fromPostgres(sql), close: () => sql.end({ timeout: 0 }) };
    },
  },
  {
    name: 'pg',
    open(url, max = 8) {
      const pool = new pg.Pool({ connectionString: url, max, connectionTimeoutMillis: 2_000 });
      pool.on('error', () => {});
      return { client: fromPg(pool), close: () => pool.end() };
    },
  },
];
