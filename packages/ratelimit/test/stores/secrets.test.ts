/** What is written down of who calls: in no store, no decision and no header field an API key as it is. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { LimitSubject } from '@sage-adk/core';
import { fromPostgres } from '@sage-adk/core/postgres';
import { describeWithService } from '@tooling/services';
import postgres from 'postgres';
import { createClient } from 'redis';
import { createRateLimiter, hashApiKey, type Rule, usd } from '../../src/index.ts';
import { rateLimitFields } from '../../src/http/ietf.ts';
import { createMemoryStore } from '../../src/stores/memory.ts';
import { createPostgresStore, migratePostgresStore } from '../../src/stores/postgres/index.ts';
import { createRedisStore } from '../../src/stores/redis/index.ts';
import type { LimiterStore } from '../../src/stores/store.ts';

const apiKey = 'sk-live-4711-do-not-tell';
const rules: readonly Rule[] = [
  { name: 'user', scope: 'user', limit: 2, per: 'hour' },
  { name: 'slots', scope: 'user', unit: 'concurrency', limit: 5 },
  { name: 'budget', scope: 'user', unit: 'cost', limit: usd(1), per: 'calendar-day' },
];

test('RL8: memory holds a hash of an API key, and so does everything the limiter says', async () => {
  const store = createMemoryStore();
  await expectHashed(store, () => JSON.stringify(store.image()));
});

describeWithService('redis', 'in Redis', (url) => {
  const client = createClient({ url, database: 7 });
  beforeAll(async () => {
    await client.connect();
    await client.flushDb();
  });
  afterAll(async () => {
    await client.flushDb();
    await client.close();
  });

  test('RL8: keys and values hold a hash of an API key', async () => {
    await expectHashed(createRedisStore({ client, deadlineMs: 5_000 }), async () => {
      const keys = await client.keys('*');
      const values = await Promise.all(
        keys.map(async (key) => ((await client.type(key)) === 'hash' ? client.hGetAll(key) : client.dump(key))),
      );
      return JSON.stringify([keys, values]);
    });
  });
});

describeWithService('postgres', 'in PostgreSQL', (url) => {
  const schema = 'secrets';
  const sql = postgres(url, { max: 2, onnotice: () => {} });
  beforeAll(async () => {
    await sql.unsafe(`drop schema if exists ${schema} cascade`);
    await migratePostgresStore(fromPostgres(sql), { schema });
  });
  afterAll(() => sql.end());

  test('RL8: rows and the audit trail hold a hash of an API key', async () => {
    const client = fromPostgres(sql);
    const store = createPostgresStore({ client, schema, deadlineMs: 5_000, audit: { mode: 'all' } });
    await expectHashed(store, async () => {
      await store.flushAudit();
      const tables = ['logged', 'unlogged', 'logged_part', 'unlogged_part', 'audit'];
      const rows = await Promise.all(
        tables.map((table) => sql`select * from ${sql(`${schema}.sage_limiter_${table}`)}`),
      );
      return JSON.stringify(rows, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
    });
  });
});

/** Calls with an API key in every way, and looks at what is kept and said of it. */
async function expectHashed(store: LimiterStore, dump: () => string | Promise<string>): Promise<void> {
  const limiter = createRateLimiter({ rules, store });
  const subject: LimitSubject = { principal: { kind: 'api_key', id: apiKey } };
  const said = [
    await limiter.reserve(subject, { costNanoUsd: 1n }, { idempotencyKey: apiKey }),
    await limiter.check(subject),
    await limiter.check(subject),
    await limiter.snapshot(),
  ];
  const decision = await limiter.peek(subject);
  const fields = rateLimitFields(decision, { partitionSecret: 'secret' });
  const kept = await dump();
  expect(kept).toContain(hashApiKey(apiKey));
  const all = [
    kept,
    JSON.stringify([said, decision, fields], (_name, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ),
  ];
  for (const text of all) expect(text).not.toContain('sk-live');
  expect(JSON.stringify(fields)).not.toContain(hashApiKey(apiKey));
  await limiter.close();
}
