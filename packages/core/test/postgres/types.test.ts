import { expect, test } from '@jest/globals';
import pg from 'pg';
import postgres from 'postgres';
import { fromPg, fromPostgres, type PostgresClient } from '../../src/postgres/index.ts';

// The typecheck of this file is the test: none of these connects.
test('postgres.js and a pool of pg fit their adapters without a cast', () => {
  const clients: readonly PostgresClient[] = [
    fromPostgres(postgres('postgres://127.0.0.1:1/none')),
    fromPostgres(postgres('postgres://127.0.0.1:1/none', { types: { bigint: postgres.BigInt } })),
    fromPg(new pg.Pool({ connectionString: 'postgres://127.0.0.1:1/none' })),
  ];

  expect(clients.map((client) => typeof client.query)).toEqual(['function', 'function', 'function']);
});
