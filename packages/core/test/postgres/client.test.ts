import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import { type PostgresClient, type PostgresQueries, quoteIdentifier } from '../../src/postgres/index.ts';
import { until } from '../until.ts';
import { drivers, type Opened } from './drivers.ts';

const schema = `test_client_${process.pid}`;

test('an identifier stands for itself, whatever is in it', () => {
  expect(quoteIdentifier('plain')).toBe('"plain"');
  expect(quoteIdentifier('a"; drop table b; --')).toBe('"a""; drop table b; --"');
});

describeWithService('postgres', 'PostgreSQL client', (url) => {
  beforeAll(() =>
    withClient((client) => client.query(`create schema ${schema}; create table ${schema}.items (id int primary key)`)),
  );
  afterAll(() => withClient((client) => client.query(`drop schema ${schema} cascade`)));

  async function withClient<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    const opened = drivers[0]?.open(url);
    if (opened === undefined) throw new Error('there is a driver');
    try {
      return await work(opened.client);
    } finally {
      await opened.close();
    }
  }

  describe.each(drivers)('over $name', ({ open }) => {
    let opened: Opened;
    let client: PostgresClient;

    beforeAll(() => {
      opened = open(url, { arrays: true });
      client = opened.client;
    });
    afterAll(() => opened.close());

    test('returns the rows of a statement with values', async () => {
      const at = new Date('2026-01-02T03:04:05.678Z');
      const rows = await client.query(
        `select $1::int as whole, $2::text as text, $3::boolean as yes, $4::timestamptz as at, $5::bytea as bytes,
          $6::text[] as list, $7::text::jsonb as json, $8::bigint as big, $9::text as nothing`,
        [7, "it's", true, at, Buffer.from([0, 255]), ['a', 'b'], '{"deep":["x"]}', '9007199254740993', null],
      );

      expect(rows).toEqual([
        {
          whole: 7,
          text: "it's",
          yes: true,
          at,
          bytes: Buffer.from([0, 255]),
          list: ['a', 'b'],
          json: { deep: ['x'] },
          big: '9007199254740993',
          nothing: null,
        },
      ]);
      expect(await client.query('select $1::int as one where false', [1])).toEqual([]);
    });

    test('returns the rows of the last of several statements', async () => {
      expect(await client.query('select 1 as one; select 2 as two')).toEqual([{ two: 2 }]);
      expect(await client.query('select 1 as one')).toEqual([{ one: 1 }]);
    });

    test('prepares a statement with values, unless told not to', async () => {
      const prepared = `select count(*)::int as count from pg_prepared_statements where statement = $1`;
      const withOut = open(url, { max: 1, prepare: false });
      const withIt = open(url, { max: 1 });

      expect(await withIt.client.query(prepared, [prepared])).toEqual([{ count: 1 }]);
      expect(await withOut.client.query(prepared, [prepared])).toEqual([{ count: 0 }]);
      await Promise.all([withOut.close(), withIt.close()]);
    });

    test('a refused statement is permanent and keeps its SQLSTATE and cause', async () => {
      await expect(client.query('select * from no_such_table')).rejects.toMatchObject({
        code: 'SAGE_POSTGRES_QUERY_FAILED',
        category: 'permanent',
        details: { sqlState: '42P01' },
        cause: { code: '42P01' },
      });
      await expect(client.query('select $1::int as one', ['no number'])).rejects.toMatchObject({
        details: { sqlState: '22P02' },
      });
    });

    test('commits a transaction and returns what its work returns, lists too', async () => {
      const result = await client.transaction(async (queries) => {
        await queries.query(`insert into ${schema}.items values (1)`);
        return queries.query(`select id from ${schema}.items`);
      });

      expect(result).toEqual([{ id: 1 }]);
      expect(await client.query(`delete from ${schema}.items returning id`)).toEqual([{ id: 1 }]);
    });

    test('rolls back what fails, and throws its own error', async () => {
      const own = new Error('the work changed its mind');

      await expect(
        client.transaction(async (queries) => {
          await queries.query(`insert into ${schema}.items values (2)`);
          throw own;
        }),
      ).rejects.toBe(own);
      expect(await client.query(`select id from ${schema}.items`)).toEqual([]);
    });

    test('rolls back after a failed statement, also if the work caught it', async () => {
      await expect(
        client.transaction(async (queries) => {
          await queries.query(`insert into ${schema}.items values (3)`);
          await queries.query('select * from no_such_table').catch(() => {});
          return 'all is well';
        }),
      ).rejects.toMatchObject({ code: 'SAGE_POSTGRES_QUERY_FAILED', details: { sqlState: '42P01' } });
      expect(await client.query(`select id from ${schema}.items`)).toEqual([]);
    });

    test('a lost race of two transactions is a conflict, which may be tried again', async () => {
      const select = 'select coalesce(sum(id), 0) as sum from ' + schema + '.items';
      let looked = 0;
      const both = await Promise.allSettled(
        [10, 11].map((id) =>
          client.transaction(async (queries) => {
            await queries.query('set transaction isolation level serializable');
            await queries.query(select);
            looked++;
            await until(() => looked === 2);
            await queries.query(`insert into ${schema}.items values (${id})`);
          }),
        ),
      );
      await client.query(`delete from ${schema}.items`);

      const lost = both.filter((one) => one.status === 'rejected');
      expect(lost).toMatchObject([{ reason: { code: 'SAGE_POSTGRES_CONFLICT', category: 'transient' } }]);
    });

    test('a statement that takes too long is answered for at its deadline and stopped on the server', async () => {
      const mark = `mark ${process.pid} ${Math.random()}`;
      const startedMs = performance.now();
      await expect(client.query(`select pg_sleep(60) /* ${mark} */`, [], { deadlineMs: 100 })).rejects.toMatchObject({
        code: 'SAGE_POSTGRES_DEADLINE',
        outcome: 'timeout',
        category: 'transient',
      });

      expect(performance.now() - startedMs).toBeLessThan(20_000);
      await until(async () => !(await isRunning(client, mark)));
    });

    test('the signal of a call ends it with its reason and stops the statement', async () => {
      const mark = `mark ${process.pid} ${Math.random()}`;
      const controller = new AbortController();
      const reason = new Error('the caller went away');
      const running = client.query(`select pg_sleep(60) /* ${mark} */`, [], { signal: controller.signal });
      const seen = expect(running).rejects.toBe(reason);
      await until(() => isRunning(client, mark));
      controller.abort(reason);

      await seen;
      await until(async () => !(await isRunning(client, mark)));
    });

    test('a transaction has one deadline, and is rolled back when it has passed', async () => {
      let refused: unknown;
      const running = client.transaction(
        async (queries) => {
          await queries.query(`insert into ${schema}.items values (4)`);
          await queries.query('select pg_sleep(60)').catch(() => {});
          await queries.query(`insert into ${schema}.items values (5)`).catch((error: unknown) => (refused = error));
        },
        { deadlineMs: 150 },
      );

      await expect(running).rejects.toMatchObject({ code: 'SAGE_POSTGRES_DEADLINE' });
      await until(() => refused !== undefined);
      expect(refused).toMatchObject({ code: 'SAGE_POSTGRES_UNAVAILABLE' });
      await until(async () => (await locksOf(client)) === 0);
      expect(await client.query(`select id from ${schema}.items`)).toEqual([]);
    });

    test('a call that waits for a connection until its deadline is not made later', async () => {
      const single = open(url, { max: 1 });
      const { promise: over, resolve: end } = Promise.withResolvers<void>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      const blocking = single.client.transaction(async (queries) => {
        await queries.query('select 1');
        begin();
        await over;
      });
      await begun;
      await expect(
        single.client.query(`insert into ${schema}.items values ($1)`, [6], { deadlineMs: 50 }),
      ).rejects.toMatchObject({ code: 'SAGE_POSTGRES_DEADLINE' });
      await expect(
        single.client.transaction((queries) => queries.query(`insert into ${schema}.items values (7)`), {
          deadlineMs: 50,
        }),
      ).rejects.toMatchObject({ code: 'SAGE_POSTGRES_DEADLINE' });
      end();
      await blocking;

      expect(await single.client.query(`select id from ${schema}.items`)).toEqual([]);
      await single.close();
    });

    test('nor is one that waits for the end of another statement', async () => {
      const single = open(url, { max: 1 });
      await single.client.query('select 1');
      const slow = single.client.query('select pg_sleep(0.4)');
      for (const values of [[8], undefined]) {
        const insert = `insert into ${schema}.items values (${values === undefined ? '9' : '$1'})`;
        await expect(single.client.query(insert, values, { deadlineMs: 50 })).rejects.toMatchObject({
          code: 'SAGE_POSTGRES_DEADLINE',
        });
      }
      await slow;

      expect(await single.client.query(`select id from ${schema}.items`)).toEqual([]);
      await single.close();
    });

    test('statements that are more than the connections, and those of one transaction, all run', async () => {
      const single = open(url, { max: 2 });
      await single.client.query('select 1');
      const ones = Array.from({ length: 12 }, (_, n) => single.client.query('select $1::int as n', [n]));
      const inOne = single.client.transaction((queries) =>
        Promise.all([1, 2, 3].map((n) => queries.query('select $1::int as n', [n]))),
      );

      expect(await Promise.all(ones)).toEqual(Array.from({ length: 12 }, (_, n) => [{ n }]));
      expect(await inOne).toEqual([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]]);
      await single.close();
    });

    test('the connection is free again after each way to end', async () => {
      const single = open(url, { max: 1 });
      for (let round = 0; round < 3; round++) {
        await single.client.query('select * from no_such_table').catch(() => {});
        await single.client.query('select pg_sleep(60)', [], { deadlineMs: 20 }).catch(() => {});
        await single.client.transaction(() => Promise.reject(new Error('no'))).catch(() => {});
        await single.client
          .transaction((queries) => queries.query('select pg_sleep(60)'), { deadlineMs: 20 })
          .catch(() => {});
      }

      expect(await single.client.query('select 1 as one')).toEqual([{ one: 1 }]);
      await single.close();
    });

    test.each([
      ['while a statement runs', (queries: PostgresQueries) => queries.query('select pg_sleep(5)')],
      ['between two statements', () => sleep(500)],
      [
        'and the work goes on as if nothing was',
        (queries: PostgresQueries) => queries.query('select pg_sleep(5)').catch(() => {}),
      ],
    ])('a transaction whose connection is lost %s is transient, and the next one works', async (_, during) => {
      const single = open(url, { max: 1 });
      let ended = false;
      const running = single.client.transaction(async (queries) => {
        const [backend] = await queries.query<{ pid: number }>('select pg_backend_pid() as pid');
        setTimeout(() => void client.query('select pg_terminate_backend($1::int)', [backend?.pid]), 10);
        try {
          await during(queries);
          await queries.query('select 1');
        } finally {
          ended = true;
        }
      });

      await expect(running).rejects.toMatchObject({ code: 'SAGE_POSTGRES_UNAVAILABLE', category: 'transient' });
      await until(() => ended);
      await until(async () => (await single.client.query('select 1 as one').catch(() => [])).length === 1);
      expect(await single.client.transaction((queries) => queries.query('select 2 as two'))).toEqual([{ two: 2 }]);
      await single.close();
    });

    test('refuses a deadline that is none', async () => {
      expect(() => open(url, { deadlineMs: 0 })).toThrow('The option deadlineMs is 0');
      await expect(client.query('select 1', [], { deadlineMs: 0.5 })).rejects.toThrow('The option deadlineMs is 0.5');
    });
  });

  const isRunning = async (client: PostgresClient, mark: string) =>
    (
      await client.query(
        `select 1 from pg_stat_activity where state = 'active' and query like $1 and pid <> pg_backend_pid()`,
        [`%${mark}%`],
      )
    ).length > 0;

  const locksOf = async (client: PostgresClient) =>
    (
      await client.query(`select 1 from pg_locks where relation = $1::regclass and pid <> pg_backend_pid()`, [
        `${schema}.items`,
      ])
    ).length;
});
