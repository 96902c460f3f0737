import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromPostgres } from '@sage-adk/core/postgres';
import { describeWithService } from '@tooling/services';
import postgres from 'postgres';
import { createClient } from 'redis';
import { run } from '../../src/dead-letters/cli/run.ts';
import type { DeadLetterStore } from '../../src/dead-letters/index.ts';
import { createPostgresDeadLetters, migrateDeadLetters } from '../../src/dead-letters/postgres/index.ts';
import { createRedisDeadLetters } from '../../src/dead-letters/redis/index.ts';

async function cli(args: readonly string[], environment: Record<string, string> = {}) {
  let out = '';
  let err = '';
  const code = await run(args, {
    environment,
    out: (text) => void (out += text),
    fail: (text) => void (err += text),
  });
  return { code, out, err };
}

const lines = (out: string): readonly unknown[] =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

/** Fills the store and looks at it from outside. */
async function useAll(store: DeadLetterStore, where: readonly string[], environment: Record<string, string>) {
  const sage = (...args: string[]) => cli([...args, ...where], environment);
  for (const dedupeKey of ['a', 'b']) {
    await store.put({ source: 'inbox', dedupeKey, payload: { dedupeKey }, error: new Error('bad \u001b[31mred') });
  }
  const { id } = await store.put({ source: 'outbox', dedupeKey: 'c', payload: 'c', error: new TypeError('other') });

  const listed = await sage('ls');
  expect(listed.out.split('\n')).toHaveLength(4);
  expect(listed.out).not.toContain('\u001b');
  expect(lines((await sage('ls', '--json', '--limit', '1')).out)).toHaveLength(1);
  expect(lines((await sage('show', id, '--json')).out)).toMatchObject([{ id, payload: 'c' }]);
  expect((await sage('show', 'unknown')).code).toBe(1);
  expect(lines((await sage('stats', '--json')).out)).toMatchObject([{ dead: 3, parked: 0 }]);
  expect((await sage('report')).out).toContain('3 letters, 2 kinds of failure.');
  expect(lines((await sage('report', '--json')).out)).toMatchObject([{ letters: 3, groups: [{ letters: 2 }, {}] }]);
  expect(lines((await sage('export', '--source', 'inbox')).out)).toHaveLength(2);
  expect((await sage('purge', '--source', 'outbox')).out).toContain('1 would be removed');
  expect((await sage('purge', '--source', 'outbox', '--yes')).out).toBe('1 removed\n');

  const keys = new Set<unknown>();
  const server = createServer((request, response) => {
    keys.add(request.headers['idempotency-key']);
    response.writeHead(keys.size === 1 ? 503 : 204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const to = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  expect(await sage('redrive', '--to', to, '--rate', '1000')).toMatchObject({
    code: 1,
    out: '1 succeeded, 1 failed, 0 lost; ended: done\n',
  });
  server.close();
  expect(await store.stats()).toMatchObject({ dead: 1 });
}

describeWithService('redis', 'over redis', (url) => {
  const client = createClient({ url });
  beforeAll(() => client.connect());
  afterAll(() => client.close());
  test('ER14 ER15: lists, shows, reports, exports, redrives and purges', async () => {
    const queue = `cli-${process.pid}`;
    const store = createRedisDeadLetters({ client, prefix: 'test:dlq', queue, deadlineMs: 5_000 });
    await useAll(store, ['--queue', queue, '--prefix', 'test:dlq'], { REDIS_URL: url });
    await store.purge({});
  });
});

describeWithService('postgres', 'over postgres', (url) => {
  const sql = postgres(url, { max: 2, onnotice: () => {} });
  const client = fromPostgres(sql);
  const schema = `test_cli_${process.pid}`;
  afterAll(async () => {
    await client.query(`drop schema if exists ${schema} cascade`);
    await sql.end();
  });
  test('ER14 ER15: lists, shows, reports, exports, redrives and purges', async () => {
    await migrateDeadLetters({ client, schema });
    await useAll(createPostgresDeadLetters({ client, schema }), ['--schema', schema, '--url', url], { REDIS_URL: 'x' });
  });
});

describe('arguments', () => {
  test.each([
    [['ls'], {}, 1, 'No store'],
    [['ls'], { REDIS_URL: 'a', POSTGRES_URL: 'b' }, 1, 'Both REDIS_URL and POSTGRES_URL'],
    [['ls', '--url', 'http://x'], {}, 1, 'must start with redis://'],
    [['lost'], {}, 2, 'There is no command "lost"'],
    [['redrive'], {}, 2, 'needs --to'],
    [['ls', '--what'], {}, 2, "Unknown option '--what'"],
    [['ls', '--state', 'gone'], {}, 2, 'must be dead, claimed or parked'],
    [['ls', '--failed-from', 'now'], {}, 2, 'must be a time'],
    [['ls', '--limit', 'many'], {}, 2, 'must be a number above 0'],
  ])('%j', async (args: string[], environment: Record<string, string>, code: number, message: string) => {
    const result = await cli(args, environment);
    expect(result.code).toBe(code);
    expect(result.err).toContain(message);
  });

  test('without a command it says how it is used', async () => {
    expect(await cli([])).toMatchObject({ code: 0, out: expect.stringContaining('Usage: sage-dlq') });
  });
});
