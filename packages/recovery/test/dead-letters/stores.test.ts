import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromPostgres } from '@sage-adk/core/postgres';
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

  test('putting is an operation', () => sawPut(open()));
});
