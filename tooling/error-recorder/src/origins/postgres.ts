/** What `postgres` throws, from a real server. */
import { serviceUrl, started, startPostgres } from '@tooling/services';
import postgres, { type Sql } from 'postgres';
import { caught, type Origin, packageAndVersion, type Recorded } from '../origin.ts';

export const postgresOrigin: Origin = {
  name: 'postgres',
  from: `${packageAndVersion('postgres')} with PostgreSQL`,
  async record() {
    const url = serviceUrl('postgres');
    if (url === undefined) throw new TypeError('Recording needs a PostgreSQL.');
    const sql = postgres(url, { max: 4, onnotice: () => {} });
    try {
      return [
        ...(await recordStatements(sql)),
        ...(await recordLocks(sql)),
        ...(await recordStates(sql)),
        ...(await recordConnections(url)),
      ];
    } finally {
      await sql.end({ timeout: 1 });
    }
  },
};

/** States that a healthy server cannot be brought into are raised by name; the client throws them as any other. */
const raised = {
  'admin_shutdown 57P01': '57P01',
  'crash_shutdown 57P02': '57P02',
  'cannot_connect_now 57P03': '57P03',
  'too_many_connections 53300': '53300',
  'out_of_memory 53200': '53200',
  'disk_full 53100': '53100',
  'io_error 58030': '58030',
  'data_corrupted XX001': 'XX001',
  'index_corrupted XX002': 'XX002',
  'connection_failure 08006': '08006',
  'internal_error XX000': 'XX000',
} as const;

async function recordStatements(sql: Sql): Promise<Recorded[]> {
  const statement = (name: string, text: string) => caught(name, () => sql.unsafe(text));
  await sql`create table if not exists corpus_unique (id int primary key, n int not null check (n > 0))`;
  await sql`insert into corpus_unique values (1, 1) on conflict do nothing`;
  const recorded = [
    await statement('unique_violation 23505', 'insert into corpus_unique values (1, 1)'),
    await statement('not_null_violation 23502', 'insert into corpus_unique values (2, null)'),
    await statement('check_violation 23514', 'insert into corpus_unique values (3, -1)'),
    await statement('syntax_error 42601', 'selec 1'),
    await statement('undefined_table 42P01', 'select * from no_such_table'),
    await statement('undefined_column 42703', 'select no_such_column from corpus_unique'),
    await statement('division_by_zero 22012', 'select 1 / 0'),
    await statement('invalid_text 22P02', "select 'a'::int"),
    await statement('numeric_out_of_range 22003', 'select 2147483647 + 1'),
    await caught('statement timeout 57014', () =>
      sql.begin(async (transaction) => {
        await transaction`set local statement_timeout = 30`;
        await transaction`select pg_sleep(2)`;
      }),
    ),
    await caught('read_only_transaction 25006', () =>
      sql.begin('read only', (transaction) => transaction`insert into corpus_unique values (9, 9)`),
    ),
    await caught('statement after a failed one 25P02', () =>
      sql.begin(async (transaction) => {
        await transaction.unsafe('selec 1').catch(() => {});
        await transaction`select 1`;
      }),
    ),
  ];
  await sql`drop table corpus_unique`;
  return recorded;
}

async function recordLocks(sql: Sql): Promise<Recorded[]> {
  await sql`create table corpus_locks (id int primary key, n int)`;
  await sql`insert into corpus_locks values (1, 0), (2, 0)`;
  const recorded = [
    await caught('lock_not_available 55P03', () =>
      sql.begin(async (one) => {
        await one`select * from corpus_locks where id = 1 for update`;
        await sql.begin((two) => two`select * from corpus_locks where id = 1 for update nowait`);
      }),
    ),
    await caught('deadlock_detected 40P01', async () => {
      const both = (first: number, second: number) =>
        sql.begin(async (transaction) => {
          await transaction`update corpus_locks set n = n + 1 where id = ${first}`;
          await new Promise((resolve) => setTimeout(resolve, 100));
          await transaction`update corpus_locks set n = n + 1 where id = ${second}`;
        });
      const ends = await Promise.allSettled([both(1, 2), both(2, 1)]);
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    }),
    await caught('serialization_failure 40001', async () => {
      const bump = () =>
        sql.begin('isolation level serializable', async (transaction) => {
          const [row] = await transaction`select n from corpus_locks where id = 1`;
          await new Promise((resolve) => setTimeout(resolve, 100));
          await transaction`update corpus_locks set n = ${Number(row?.['n']) + 1} where id = 1`;
        });
      const ends = await Promise.allSettled([bump(), bump()]);
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    }),
  ];
  await sql`drop table corpus_locks`;
  return recorded;
}

async function recordStates(sql: Sql): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  for (const [name, code] of Object.entries(raised)) {
    const text = `do $$ begin raise exception using errcode = '${code}', message = '${name.split(' ')[0]}'; end $$`;
    recorded.push(await caught(name, () => sql.unsafe(text)));
  }
  return recorded;
}

async function recordConnections(url: string): Promise<Recorded[]> {
  const once = (address: string, options: object = {}) => postgres(address, { max: 1, connect_timeout: 2, ...options });
  const recorded: Recorded[] = [
    await caught('connection terminated by an administrator', async () => {
      const [one, two] = [once(url), once(url)];
      const [row] = await one`select pg_backend_pid() as pid`;
      const sleeping = one`select pg_sleep(5)`;
      sleeping.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 50));
      await two`select pg_terminate_backend(${row?.['pid'] as number})`;
      return ended(sleeping, one, two);
    }),
    await caught('query cancelled by the caller', async () => {
      const one = once(url);
      const sleeping = one`select pg_sleep(5)`.execute();
      sleeping.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 100));
      sleeping.cancel();
      return ended(sleeping, one);
    }),
    await caught('database does not exist 3D000', () => once(url, { database: 'no_such_database' })`select 1`),
    await caught('role does not exist 28000', () => once(url, { username: 'nobody' })`select 1`),
    await caught('client that is ended', async () => {
      const one = once(url);
      await one.end({ timeout: 0 });
      return one`select 1`;
    }),
  ];
  const server = started(await startPostgres({ fresh: true }));
  const own = once(server.url);
  await own`select 1`;
  const sleeping = own`select pg_sleep(5)`;
  sleeping.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 50));
  await server.kill();
  recorded.push(await caught('server killed while it was asked', () => sleeping));
  recorded.push(await caught('connection refused', () => once(server.url)`select 1`));
  await server.stop();
  return recorded;
}

/** What a query comes to, once its clients are closed. */
async function ended(query: PromiseLike<unknown>, ...clients: readonly Sql[]): Promise<unknown> {
  try {
    return await query;
  } finally {
    await Promise.all(clients.map((client) => client.end({ timeout: 0 })));
  }
}
