import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromPostgres } from '@sage-adk/core/postgres';
import { describeWithService } from '@tooling/services';
import postgres from 'postgres';
import { createClient } from 'redis';
import { usageStoreCases } from '../../src/testing/index.ts';
import { createMemoryUsage } from '../../src/usage/index.ts';
import { createPostgresUsage, migrateUsage } from '../../src/usage/postgres/index.ts';
import { createRedisUsage } from '../../src/usage/redis/index.ts';
import { noUsage } from '../../src/usage/row.ts';
import type { UsageStore } from '../../src/usage/store.ts';
import { readAll } from './support.ts';

const key = { tenant: 't', user: '', agent: '', session: '', provider: 'p', model: 'm' };

/** One row of several cannot be added: its sum has no room in 64 bits. */
async function overflows(store: UsageStore): Promise<void> {
  const day = '2026-11-28';
  const full = { ...noUsage, ...key, tenant: 'full', calls: 1, costNanoUsd: 2n ** 63n - 1n };
  const known = { ...noUsage, ...key, user: 'known', calls: 1, costNanoUsd: 1n };
  await store.add({ id: 'first', day, rows: [full, known] });
  const rows = [known, { ...known, user: 'new' }, { ...full, costNanoUsd: 1n }, { ...known, user: 'last' }];
  for (let tries = 0; tries < 2; tries++) {
    await expect(store.add({ id: 'second', day, rows })).rejects.toMatchObject({ category: 'permanent' });
    const kept = (await readAll(store)).toSorted((one, other) => one.user.length - other.user.length);
    expect(kept).toMatchObject([full, known]);
  }
  await store.add({ id: 'second', day, rows: rows.slice(0, 2) });
  const calls = Object.fromEntries((await readAll(store)).map((row) => [row.user, row.calls]));
  expect(calls).toEqual({ '': 1, known: 2, new: 1 });
}

describe('memory', () => {
  test.each(usageStoreCases)('OC3: $name', ({ run }) => run(() => createMemoryUsage()));

  test('it is bounded: beyond its rows the sums stay right, and beyond its days the oldest goes', async () => {
    const store = createMemoryUsage({ maxRows: 10, maxDays: 2 });
    const rows = Array.from({ length: 50 }, (_, i) => ({ ...noUsage, ...key, user: `u${i}`, calls: 1 }));
    await store.add({ id: '1', day: '2026-01-01', rows: rows.slice(0, 1) });
    for (const day of ['2026-01-02', '2026-01-03']) await store.add({ id: day, day, rows });
    const days: Record<string, number> = {};
    let kept = 0;
    for await (const page of store.read({ from: '2026-01-01', to: '2026-12-31' })) {
      kept += page.rows.length;
      days[page.day] = page.rows.reduce((sum, { calls }) => sum + calls, 0);
    }
    expect(days).toEqual({ '2026-01-02': 50, '2026-01-03': 50 });
    expect(kept).toBeLessThanOrEqual(12);
  });
});

describeWithService('redis', 'redis', (url) => {
  const client = createClient({ url });
  const prefix = `test:usage:${process.pid}`;
  let stores = 0;
  beforeAll(() => client.connect());
  afterAll(async () => {
    for await (const keys of client.scanIterator({ MATCH: `{${prefix}*` })) if (keys.length > 0) await client.del(keys);
    await client.close();
  });

  test.each(usageStoreCases)('OC3: $name', ({ run }) =>
    run(() => createRedisUsage({ client, prefix: `${prefix}:${++stores}`, deadlineMs: 5_000 })),
  );

  test('OC3: of a batch that cannot be added as a whole nothing is, however often it comes', () =>
    overflows(createRedisUsage({ client, prefix: `${prefix}:${++stores}`, deadlineMs: 5_000 })));

  test('a day whose key is of somebody else takes no batch for one that was added', async () => {
    const [name, day] = [`${prefix}:${++stores}`, '2026-11-28'];
    const store = createRedisUsage({ client, prefix: name, deadlineMs: 5_000 });
    const batch = { id: '1', day, rows: [{ ...noUsage, ...key, calls: 1 }] };
    await client.set(`{${name}:${day}}`, 'of somebody else');
    for (const rows of [batch.rows, batch.rows, []])
      await expect(store.add({ ...batch, rows })).rejects.toMatchObject({ category: 'permanent' });
    await client.del(`{${name}:${day}}`);
    await store.add(batch);
    expect(await readAll(store)).toMatchObject([{ calls: 1 }]);
  });

  test('a day expires after its retention', async () => {
    const store = createRedisUsage({ client, prefix: `${prefix}:expiry`, retentionDays: 3, deadlineMs: 5_000 });
    await store.add({ id: '1', day: '2026-11-28', rows: [{ ...noUsage, ...key, calls: 1 }] });
    const leftMs = await client.pTTL(`{${prefix}:expiry:2026-11-28}`);
    expect(leftMs).toBeGreaterThan(2 * 86_400_000);
    expect(leftMs).toBeLessThanOrEqual(3 * 86_400_000);
  });
});

describeWithService('postgres', 'postgres', (url) => {
  const sql = postgres(url, { max: 8, fetch_types: false, onnotice: () => {} });
  const client = fromPostgres(sql);
  const schema = `test_usage_${process.pid}`;
  beforeAll(async () => {
    await migrateUsage({ client, schema });
  });
  afterAll(async () => {
    await client.query(`drop schema ${schema} cascade`);
    await sql.end();
  });

  test.each(usageStoreCases)('OC3: $name', ({ run }) =>
    run(async () => {
      await client.query(`truncate ${schema}.sage_usage, ${schema}.sage_usage_batches`);
      return createPostgresUsage({ client, schema, deadlineMs: 5_000 });
    }),
  );

  test('OC3: of a batch that cannot be added as a whole nothing is, however often it comes', async () => {
    await client.query(`truncate ${schema}.sage_usage, ${schema}.sage_usage_batches`);
    await overflows(createPostgresUsage({ client, schema, deadlineMs: 5_000 }));
  });
});
