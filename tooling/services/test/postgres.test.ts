import { afterAll, beforeAll, expect, test } from '@jest/globals';
import postgres from 'postgres';
import { startPostgres, started } from '../src/index.js';
import type { Server } from '../src/index.js';
import { isRunning, isStalled, suiteFor } from './support.ts';

const result = await startPostgres({ fresh: true, settings: { fsync: 'off', work_mem: '5MB' } });

suiteFor(result)('a postgres for tests', () => {
  let server: Server;
  let sql: postgres.Sql;

  beforeAll(() => {
    server = started(result);
    sql = postgres(server.url, { max: 1, onnotice: () => {} });
  });
  afterAll(async () => {
    await sql.end({ timeout: 0 });
    await server.stop();
  });

  const shown = async (name: string): Promise<unknown> => {
    const [row] = await sql`select current_setting(${name}) as value`;
    return row?.['value'];
  };

  test('answers select version() with the version it names', async () => {
    const [row] = await sql`select version()`;
    expect(row?.['version']).toContain(`PostgreSQL ${server.version}`);
  });

  test('takes 200 connections, the settings it was given, and listens on loopback alone', async () => {
    expect(await shown('max_connections')).toBe('200');
    expect(await shown('fsync')).toBe('off');
    expect(await shown('work_mem')).toBe('5MB');
    expect(await shown('listen_addresses')).toBe('127.0.0.1');
    expect(await shown('unix_socket_directories')).toBe('');
  });

  test('stalls open connections while paused and goes on when resumed', async () => {
    await sql`select 1`;
    await server.pause();
    const answer = sql`select 1`.then(({ count }) => count);
    expect(await isStalled(answer)).toBe(true);
    await server.resume();
    expect(await answer).toBe(1);
  });

  test('keeps committed rows over kill and restart', async () => {
    await sql`create table kept (value int)`;
    await sql`insert into kept values (1)`;
    const before = server.pid;
    await server.kill();
    expect(isRunning(Number(before))).toBe(false);
    await sql.end({ timeout: 0 });
    await server.restart();
    sql = postgres(server.url, { max: 1 });
    expect(server.pid).not.toBe(before);
    expect(await sql`select value from kept`).toHaveLength(1);
  });

  test('is durable when nothing else is asked for', async () => {
    await using other = started(await startPostgres({ fresh: true }));
    const client = postgres(other.url, { max: 1 });
    const [row] = await client`select current_setting('fsync') as fsync`;
    expect(row?.['fsync']).toBe('on');
    await client.end();
  });
});
