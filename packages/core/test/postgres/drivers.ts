import pg from 'pg';
import postgres from 'postgres';
import { fromPg, fromPostgres, type PostgresClient, type PostgresClientOptions } from '../../src/postgres/index.ts';

/** A client of one driver and its end. */
export interface Opened {
  readonly client: PostgresClient;
  close(): Promise<void>;
}

export interface DriverOptions extends PostgresClientOptions {
  /** Connections. @default 4 */
  readonly max?: number;
  /** Of postgres.js: whether it looks up array types. @default false */
  readonly arrays?: boolean;
}

/** The drivers whose adapters are tested, each with the same tests. */
export const drivers: readonly { readonly name: string; open: (url: string, options?: DriverOptions) => Opened }[] = [
  {
    name: 'postgres.js',
    open(url, { max = 4, arrays = false, ...options } = {}) {
      const sql = postgres(url, { max, fetch_types: arrays, backoff: () => 0.02, onnotice: () => {} });
      return { client: fromPostgres(sql, options), close: () => sql.end({ timeout: 0 }) };
    },
  },
  {
    name: 'pg',
    open(url, { max = 4, ...options } = {}) {
      const pool = new pg.Pool({ connectionString: url, max, connectionTimeoutMillis: 2_000 });
      pool.on('error', () => {});
      return { client: fromPg(pool, options), close: () => pool.end() };
    },
  },
];
