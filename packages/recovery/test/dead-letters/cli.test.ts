import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fromPostgres } from '@sage-adk/core/postgres';
import { describeWithService } from '@tooling/services';
import postgres from 'postgres';
import { createClient } from 'redis';
import { run } from '../../src/dead-letters/cli/run.ts';
import type { DeadLetter, DeadLetterStore } from '../../src/dead-letters/index.ts';
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
  const report = (await sage('report')).out;
  expect(report).toContain('3 letters, 2 kinds of failure.');
  expect(report).not.toContain('\u001b');
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

  test('ER14: a reader that has had enough ends an export quietly', async () => {
    const queue = `cli-pipe-${process.pid}`;
    const store = createRedisDeadLetters({ client, prefix: 'test:dlq', queue, deadlineMs: 5_000 });
    for (let index = 0; index < 20; index++) {
      await store.put({ source: 'inbox', payload: 'x'.repeat(100_000), error: new Error('no') });
    }
    const main = fileURLToPath(new URL('../../src/dead-letters/cli/main.ts', import.meta.url));
    const args = ['--disable-warning=ExperimentalWarning', main, 'export', '--url', url, '--queue', queue];
    const child = spawn(process.execPath, [...args, '--prefix', 'test:dlq'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.on('data', (data: Buffer) => void (said += data.toString()));
    child.stdout.once('data', () => child.stdout.destroy());
    const [code] = (await once(child, 'close')) as [number | null];
    expect([code, said]).toEqual([0, '']);
    await store.purge({});
  });

  describe('a redrive', () => {
    const queue = `cli-redrive-${process.pid}`;
    const store = createRedisDeadLetters({ client, prefix: 'test:dlq', queue, deadlineMs: 5_000 });
    const seen: { method: string; headers: IncomingHttpHeaders; body: string }[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (data: Buffer) => void (body += data.toString()));
      request.on('end', () => {
        seen.push({ method: request.method ?? '', headers: request.headers, body });
        const moved = Number(/^\/(3\d\d)$/.exec(request.url ?? '')?.[1] ?? 0);
        if (moved > 0) response.writeHead(moved, { location: '/login' });
        response.end('please log in');
      });
    });
    const redriveTo = (path: string) => {
      const to = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
      return cli(['redrive', '--to', to, '--queue', queue, '--prefix', 'test:dlq'], { REDIS_URL: url });
    };
    beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
    beforeEach(async () => {
      seen.length = 0;
      await store.purge({});
    });
    afterAll(async () => {
      await store.purge({});
      server.close();
    });

    test.each([301, 302, 303, 307, 308])(
      'ER14: an answer of %d is a failure, and nobody follows it',
      async (status) => {
        await store.put({ source: 'inbox', payload: { pay: 100 }, error: new Error('no') });
        expect((await redriveTo(`/${status}`)).out).toBe('0 succeeded, 1 failed, 0 lost; ended: done\n');
        expect(seen).toMatchObject([{ method: 'POST', body: '{"pay":100}' }]);
        const letters: DeadLetter[] = [];
        for await (const letter of store.query()) letters.push(letter);
        expect(letters).toMatchObject([{ state: 'dead', error: { message: `answered ${status}` } }]);
      },
    );

    test.each([
      { 'content-length': '7', 'content-encoding': 'gzip' },
      { 'Content-Type': 'text/plain', 'Idempotency-Key': 'old' },
      { connection: 'keep-alive', 'keep-alive': 'timeout=5', te: 'trailers', trailer: 'x', upgrade: 'h2c' },
      { host: 'other.example', 'transfer-encoding': 'chunked', expect: '100-continue' },
    ])('ER14: headers %j of the first delivery are not those of the next', async (headers: Record<string, string>) => {
      await store.put({ source: 'inbox', payload: { pay: 100 }, headers: { ...headers, 'x-kept': '1' }, error: 'no' });
      expect((await redriveTo('/')).out).toBe('1 succeeded, 0 failed, 0 lost; ended: done\n');
      expect(seen).toMatchObject([
        { body: '{"pay":100}', headers: { 'content-type': 'application/json', 'x-kept': '1' } },
      ]);
      expect(seen[0]?.headers['idempotency-key']).toMatch(/^[\w-]{32}$/);
      expect(seen[0]?.headers.host).toMatch(/^127/);
      for (const name of ['expect', 'content-encoding', 'upgrade', 'te'])
        expect(seen[0]?.headers).not.toHaveProperty(name);
    });
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
    [['constructor'], {}, 2, 'There is no command "constructor"'],
    [['__proto__'], {}, 2, 'There is no command "__proto__"'],
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
