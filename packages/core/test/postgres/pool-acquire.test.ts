import { describe, expect, test } from '@jest/globals';
import { fromPg, type PgConnection, type PgPool } from '../../src/postgres/index.ts';
import { recordOperations } from '../../src/testing/index.ts';

const connection: PgConnection = {
  query: async () => ({ rows: [{ one: 1 }] }),
  release: () => {},
  on: () => {},
  off: () => {},
};

describe('OM18: the wait for a connection of a pool of pg', () => {
  test('is an operation that says how many waited before, and that ends before the statement is sent', async () => {
    using recorded = recordOperations();
    const pool: PgPool = { waitingCount: 3, connect: (callback) => setImmediate(callback, undefined, connection) };
    expect(await fromPg(pool).query('select 1 as one')).toEqual([{ one: 1 }]);
    expect(
      recorded.named('pool.acquire').map(({ start, attributes, outcome }) => [start, attributes, outcome]),
    ).toEqual([[{ pool: 'postgres' }, { waiting: 3 }, 'ok']]);
  });

  test('fails where the pool gives none', async () => {
    using recorded = recordOperations();
    const pool: PgPool = {
      waitingCount: 0,
      connect: (callback) => setImmediate(callback, new Error('full'), undefined),
    };
    await expect(fromPg(pool).query('select 1')).rejects.toMatchObject({ code: 'SAGE_POSTGRES_UNAVAILABLE' });
    expect(recorded.named('pool.acquire').map(({ outcome }) => outcome)).toEqual(['error']);
  });
});
