import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import { migrate, type MigrateOptions, type PostgresClient } from '../../src/postgres/index.ts';
import { drivers, type Opened } from './drivers.ts';
import { migrations } from './migrations.ts';

const all = migrations.map(({ id }) => id);
const [first, second] = migrations;

describeWithService('postgres', 'migrate', (url) => {
  describe.each(drivers)('over $name', ({ open }) => {
    let opened: Opened;
    let client: PostgresClient;
    let options: MigrateOptions;
    const schema = `test_migrate_"${process.pid}"`;
    const quoted = `"${schema.replaceAll('"', '""')}"`;

    beforeAll(() => {
      opened = open(url);
      client = opened.client;
    });
    beforeEach(() => {
      options = { client, packageName: 'test', migrations, schema };
    });
    afterEach(() => client.query(`drop schema if exists ${quoted} cascade`));
    afterAll(() => opened.close());

    const recorded = () => client.query(`select package, id from ${quoted}.sage_migrations order by package, id`);

    test('applies all of the list once, in order, into a schema that it makes', async () => {
      expect(await migrate(options)).toEqual({ applied: all, pending: [] });
      expect(await migrate(options)).toEqual({ applied: [], pending: [] });

      expect(await client.query(`select id, note from ${quoted}.items`)).toEqual([{ id: 1, note: 'none' }]);
      expect(await recorded()).toEqual(all.map((id) => ({ package: 'test', id })));
    });

    test('applies what was appended since, and leaves alone what a newer version applied', async () => {
      await migrate({ ...options, migrations: [first] });

      expect(await migrate(options)).toEqual({ applied: all.slice(1), pending: [] });
      expect(await migrate({ ...options, migrations: [first, second] })).toEqual({ applied: [], pending: [] });
    });

    test('packages share the table and nothing else', async () => {
      await migrate({ ...options, migrations: [first] });
      await migrate({
        ...options,
        packageName: 'other',
        migrations: [{ id: '1-items', sql: 'create table others ()' }],
      });

      expect(await recorded()).toEqual([
        { package: 'other', id: '1-items' },
        { package: 'test', id: '1-items' },
      ]);
    });

    test('a dry run says what is pending and changes nothing, not even its own table', async () => {
      expect(await migrate({ ...options, dryRun: true })).toEqual({ applied: [], pending: all });
      expect(await client.query('select 1 from pg_namespace where nspname = $1', [schema])).toEqual([]);

      await migrate({ ...options, migrations: [first] });
      expect(await migrate({ ...options, dryRun: true })).toEqual({ applied: [], pending: all.slice(1) });
    });

    test('with nothing to apply it needs no right to change the schema', async () => {
      await migrate(options);
      const role = `test_reader_${process.pid}`;
      await client.query(
        `create role ${role}; grant usage on schema ${quoted} to ${role}; grant select on ${quoted}.sage_migrations to ${role}`,
      );
      const asReader: PostgresClient = {
        query: async (text, values) =>
          client.transaction(async (queries) => {
            await queries.query(`set local role ${role}`);
            return queries.query(text, values);
          }),
        transaction: () => Promise.reject(new Error('it must not write')),
      };

      expect(await migrate({ ...options, client: asReader })).toEqual({ applied: [], pending: [] });
      await client.query(`drop owned by ${role}; drop role ${role}`);
    });

    test('an applied migration that reads differently now is an error that names it, line endings apart', async () => {
      await migrate(options);
      const changed = migrations.map((one) => (one.id === '2-first' ? { ...one, sql: `${one.sql} ` } : one));
      const checkedOut = migrations.map((one) => ({ ...one, sql: one.sql.replaceAll('\n', '\r\n') }));

      await expect(migrate({ ...options, migrations: changed })).rejects.toMatchObject({
        code: 'SAGE_POSTGRES_MIGRATION_CHANGED',
        category: 'permanent',
        details: { packageName: 'test', id: '2-first' },
      });
      expect(await migrate({ ...options, migrations: checkedOut })).toEqual({ applied: [], pending: [] });
    });

    test('a new migration before an applied one is an error that names both', async () => {
      const last = { id: '3-last', sql: 'select 1' };
      await migrate({ ...options, migrations: [first, last] });

      await expect(migrate({ ...options, migrations: [first, second, last] })).rejects.toMatchObject({
        code: 'SAGE_POSTGRES_MIGRATION_OUT_OF_ORDER',
        details: { packageName: 'test', id: '2-first', later: '3-last' },
      });
    });

    test('a migration that fails is named, and nothing of the run stays', async () => {
      const wrong = [first, second, { id: '3-wrong', sql: 'create table fine (); create tabel typo ()' }];

      await expect(migrate({ ...options, migrations: wrong })).rejects.toMatchObject({
        code: 'SAGE_POSTGRES_MIGRATION_FAILED',
        details: { packageName: 'test', id: '3-wrong' },
        cause: { details: { sqlState: '42601' } },
      });
      expect(await client.query('select 1 from pg_namespace where nspname = $1', [schema])).toEqual([]);
    });

    test('gives up at its deadline while another process migrates', async () => {
      const lockKey = BigInt(process.pid);
      let release = () => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      const holding = new Promise<void>((resolve) => {
        void client.transaction(async (queries) => {
          await queries.query('select pg_advisory_xact_lock($1::bigint)', [String(lockKey)]);
          resolve();
          await held;
        });
      });
      await holding;

      const outcome = await migrate({ ...options, lockKey, deadlineMs: 100 }).catch((error: unknown) => error);
      release();
      expect(outcome).toMatchObject({ code: 'SAGE_POSTGRES_DEADLINE' });
      expect(await migrate({ ...options, lockKey })).toEqual({ applied: all, pending: [] });
    });

    test.each([
      [{ packageName: '' }, 'The option packageName is ""'],
      [{ schema: '' }, 'The option schema is ""'],
      [{ migrations: [first, first] }, 'The option migrations is 1-items,1-items'],
    ])('refuses %p', async (wrong, message) => {
      await expect(migrate({ ...options, ...wrong })).rejects.toThrow(message);
    });
  });

  test('ten processes at once apply each migration once', async () => {
    const schema = `test_ten_${process.pid}`;
    const file = fileURLToPath(new URL('./migrate-once.ts', import.meta.url));
    const processes = Array.from({ length: 10 }, () => fork(file, [url, schema], { execArgv: [] }));
    await Promise.all(processes.map((child) => once(child, 'message')));

    const reports = await Promise.all(processes.map(report));

    expect(reports.filter(({ applied }) => applied.length > 0)).toEqual([{ applied: all, pending: [] }]);
    expect(reports.filter(({ applied }) => applied.length === 0)).toHaveLength(9);
    const opened = drivers[0]?.open(url);
    await opened?.client.query(`drop schema ${schema} cascade`);
    await opened?.close();
  });
});

async function report(child: ChildProcess): Promise<{ readonly applied: readonly string[] }> {
  const answer = once(child, 'message');
  child.send('go');
  const [message] = (await answer) as [{ readonly applied: readonly string[]; readonly error?: string }];
  if (message.error !== undefined) throw new Error(message.error);
  return message;
}
