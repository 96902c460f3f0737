import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromPostgres, type PostgresClient } from '@sage-adk/core/postgres';
import type { RedisCommands } from '@sage-adk/core/redis';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import { describeWithService } from '@tooling/services';
import postgres from 'postgres';
import { createClient } from 'redis';
import { createMemoryDeadLetters, type DeadLetterStore } from '../../src/dead-letters/index.ts';
import { createPostgresDeadLetters, migrateDeadLetters } from '../../src/dead-letters/postgres/index.ts';
import { createRedisDeadLetters } from '../../src/dead-letters/redis/index.ts';
import { deadLetterCases } from '../../src/dead-letters/testing/index.ts';

const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
let queues = 0;
const queue = () => `test-${process.pid}-${++queues}`;

async function sawPut(store: DeadLetterStore): Promise<void> {
  using recorder = recordOperations();
  await store.put({ source: 'inbox', dedupeKey: 'a', payload: 1, error: 'no' });
  await store.put({ source: 'inbox', dedupeKey: 'a', payload: 1, error: 'no' });
  expect(recorder.named('dlq.put').map(({ start, attributes }) => [start.store, attributes.duplicate])).toEqual([
    [store.name, false],
    [store.name, true],
  ]);
  await store.close();
}

/** Puts ten letters that together are no reply, and lists them. */
async function listsLarge(store: DeadLetterStore): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let index = 0; index < 10; index++) {
    const { id } = await store.put({ source: 'inbox', payload: 'x'.repeat(900_000), error: new Error('no') });
    ids.push(id);
  }
  const listed: string[] = [];
  for await (const { id } of store.query()) listed.push(id);
  expect(listed).toEqual(ids);
  return ids;
}

describe('memory', () => {
  test.each(deadLetterCases)('ER12 ER13 ER16: $name', ({ run }) =>
    run(async (options) => {
      const clock = createFakeClock();
      return { store: createMemoryDeadLetters({ ...options, clock }), pass: async (ms) => clock.advance(ms) };
    }),
  );

  test('putting is an operation', () => sawPut(createMemoryDeadLetters()));

  test('ER16: it is bounded in bytes too', async () => {
    const store = createMemoryDeadLetters({ maxBytes: 10_000 });
    const put = (dedupeKey: string, size: number) =>
      store.put({ source: 'inbox', dedupeKey, payload: 'x'.repeat(size), error: 'no' });
    await put('a', 5_000);
    await expect(put('b', 5_000)).rejects.toMatchObject({ code: 'SAGE_DLQ_FULL' });
    await put('c', 1_000);
    expect((await store.stats()).dead).toBe(2);
  });
});

describeWithService('redis', 'redis', (url) => {
  const client = createClient({ url });
  const open = (options = {}) =>
    createRedisDeadLetters({ ...options, client, prefix: 'test:dlq', queue: queue(), deadlineMs: 5_000 });
  beforeAll(() => client.connect());
  afterAll(async () => {
    for await (const keys of client.scanIterator({ MATCH: `{test:dlq:test-${process.pid}-*` })) {
      if (keys.length > 0) await client.del(keys);
    }
    await client.close();
  });

  test.each(deadLetterCases)('ER12 ER13 ER16: $name', ({ run }) =>
    run(async (options) => ({ store: open(options), pass })),
  );

  test('putting is an operation', () => sawPut(open()));

  test('ER13 ER15: letters of any size are listed, claimed and removed in replies that come within a deadline', async () => {
    let longest = 0;
    const measure = (reply: unknown) => {
      longest = Math.max(longest, JSON.stringify(reply).length);
      return reply;
    };
    const measured: RedisCommands = {
      isReady: true,
      evalSha: (...args) => client.evalSha(...args).then(measure),
      eval: (...args) => client.eval(...args).then(measure),
    };
    const store = createRedisDeadLetters({ client: measured, prefix: 'test:dlq', queue: queue(), deadlineMs: 5_000 });
    const ids = await listsLarge(store);
    const claimed: string[] = [];
    for (let more = true; more;) {
      const letters = await store.claim({ limit: 10 });
      claimed.push(...letters.map(({ id }) => id));
      for (const letter of letters) await store.nack(letter, { delayMs: 60_000 });
      more = letters.length > 0;
    }
    expect(claimed.toSorted()).toEqual(ids);
    expect(await store.purge({})).toBe(10);
    expect(longest).toBeLessThan(2 * 1024 * 1024);
  });
});

describeWithService('postgres', 'postgres', (url) => {
  const sql = postgres(url, { max: 8, fetch_types: false, onnotice: () => {} });
  const client = fromPostgres(sql);
  const schema = `test_dlq_${process.pid}`;
  const open = (options = {}) => createPostgresDeadLetters({ ...options, client, schema, queue: queue() });
  beforeAll(async () => {
    await migrateDeadLetters({ client, schema });
  });
  afterAll(async () => {
    await client.query(`drop schema ${schema} cascade`);
    await sql.end();
  });

  test.each(deadLetterCases)('ER12 ER13 ER16: $name', ({ run }) =>
    run(async (options) => ({ store: open(options), pass })),
  );

  test('ER13 ER15: letters of any size are listed and removed in replies that fit into memory', async () => {
    let longest = 0;
    const measured: PostgresClient = {
      ...client,
      async query<R>(...args: Parameters<PostgresClient['query']>) {
        const rows = await client.query<R>(...args);
        longest = Math.max(longest, JSON.stringify(rows).length);
        return rows;
      },
    };
    const options = { client: measured, schema, queue: queue(), maxLetterBytes: 4_000_000 };
    const store = createPostgresDeadLetters(options);
    await listsLarge(store);
    expect(longest).toBeLessThan(2 * 1024 * 1024);
    // A letter that is larger than a reply comes alone.
    const { id } = await store.put({ source: 'outbox', payload: 'x'.repeat(3_000_000), error: new Error('no') });
    await store.put({ source: 'outbox', payload: 1, error: new Error('no') });
    const found: string[] = [];
    for await (const letter of store.query({ source: 'outbox' })) found.push(letter.id);
    expect([found[0], found.length]).toEqual([id, 2]);
    expect(await store.purge({})).toBe(12);
  });

  test('putting is an operation', () => sawPut(open()));
});
