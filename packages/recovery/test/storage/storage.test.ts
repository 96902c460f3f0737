import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KeyValueStore } from '@sage-adk/core';
import { fromPostgres } from '@sage-adk/core/postgres';
import { createFakeClock, keyValueStoreCases, recordOperations } from '@sage-adk/core/testing';
import { describeWithService } from '@tooling/services';
import postgres from 'postgres';
import { createClient } from 'redis';
import { createMemoryStore } from '../../src/storage/index.ts';
import { createPostgresStore, migrateStorage } from '../../src/storage/postgres/index.ts';
import { createRedisStore } from '../../src/storage/redis/index.ts';

const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
let namespaces = 0;
const namespace = () => `test-${process.pid}-${++namespaces}`;

async function sawAllOperations(store: KeyValueStore, name: string): Promise<void> {
  using recorder = recordOperations();
  await store.set('a', 1, { ttlMs: 60_000 });
  await store.get('a');
  await store.list({ prefix: 'a', limit: 5 });
  await store.delete('a');
  expect(recorder.operations.map((record) => [record.name, record.start, record.attributes])).toEqual([
    [
      'storage.set',
      expect.objectContaining({ store: name }),
      { key: 'a', ttlMs: 60_000, conditional: false, written: true },
    ],
    ['storage.get', expect.objectContaining({ store: name }), { key: 'a', hit: true }],
    ['storage.list', expect.objectContaining({ store: name }), { prefix: 'a', limit: 5, count: 1 }],
    ['storage.delete', expect.objectContaining({ store: name }), { key: 'a', deleted: true }],
  ]);
  await store.close();
}

/** Zero bytes, a lone surrogate, the last character, and the text that it is stored as. */
async function listsAnyKey(store: KeyValueStore): Promise<void> {
  const last = String.raw`\u{10ffff}`;
  const keys = [
    'a\0b',
    'a\ud800',
    'a\u{10ffff}b',
    String.raw`a\u0000b`,
    `a${last}`,
    `a\\${last}`,
    `a\u{10ffff}\\${last}`,
  ];
  for (const [index, key] of keys.entries()) await store.set(key, index);
  expect([...(await store.list({ prefix: 'a' })).keys].sort()).toEqual([...keys].sort());
  for (const [index, key] of keys.entries()) expect((await store.get(key))?.value).toBe(index);
}

async function listsTheEmptyKey(store: KeyValueStore): Promise<void> {
  await store.set('', 1);
  await store.set('a', 2);
  const first = await store.list({ limit: 1 });
  expect(first.keys).toEqual(['']);
  const second = await store.list({ limit: 1, cursor: first.nextCursor ?? '' });
  expect([second.keys, second.nextCursor]).toEqual([['a'], undefined]);
}

describe('memory', () => {
  test('keys of any characters come back', () => listsAnyKey(createMemoryStore()));

  test('the empty key is listed, also where a page ends with it', () => listsTheEmptyKey(createMemoryStore()));

  test.each(keyValueStoreCases)('$name', ({ run }) =>
    run(async () => {
      const clock = createFakeClock();
      return { store: createMemoryStore({ clock }), pass: async (ms) => clock.advance(ms) };
    }),
  );

  test('OM15 OM16: get, set, delete and list are operations', () => sawAllOperations(createMemoryStore(), 'memory'));

  test('a write that does not fit is rejected, and nothing is lost', async () => {
    const store = createMemoryStore({ maxEntries: 2 });
    await store.set('a', 1);
    await store.set('b', 1);
    await expect(store.set('c', 1)).rejects.toMatchObject({ code: 'SAGE_STORAGE_FULL', category: 'transient' });
    await store.set('a', 2);
    expect((await store.list()).keys).toEqual(['a', 'b']);
  });

  test('drop-oldest makes room, by entries and by bytes, and counts', async () => {
    const store = createMemoryStore({ maxEntries: 3, maxBytes: 30, whenFull: 'drop-oldest' });
    for (const key of ['a', 'b', 'c', 'd']) await store.set(key, 1);
    expect([(await store.list()).keys, store.dropped, store.bytes]).toEqual([['b', 'c', 'd'], 1, 6]);
    await store.set('e', 'x'.repeat(20));
    expect(store.bytes).toBeLessThanOrEqual(30);
    await expect(store.set('f', 'x'.repeat(40))).rejects.toMatchObject({ code: 'SAGE_STORAGE_TOO_LARGE' });
  });

  test('expired entries make room, without a timer', async () => {
    const clock = createFakeClock();
    const store = createMemoryStore({ clock, maxEntries: 100 });
    for (let index = 0; index < 100; index++) await store.set(`key-${index}`, index, { ttlMs: 1_000 - index });
    for (let index = 0; index < 1_000; index++) await store.set('key-0', index, { ttlMs: 5_000 });
    expect(clock.pending).toBe(0);
    clock.advance(1_000);
    await store.set('one more', 1);
    expect(store.size).toBe(2);
  });

  test.each([undefined, () => {}, 1n])('%s is no JSON value', async (value) => {
    await expect(createMemoryStore().set('a', value)).rejects.toMatchObject({ code: 'SAGE_STORAGE_NOT_JSON' });
  });
});

describeWithService('redis', 'redis', (url) => {
  const client = createClient({ url });
  const open = () => createRedisStore({ client, namespace: namespace(), deadlineMs: 5_000 });
  beforeAll(() => client.connect());
  afterAll(async () => {
    for await (const keys of client.scanIterator({ MATCH: `{sage:kv:test-${process.pid}-*` })) {
      if (keys.length > 0) await client.del(keys);
    }
    await client.close();
  });

  test.each(keyValueStoreCases)('$name', ({ run }) => run(async () => ({ store: open(), pass })));

  test('OM15 OM16: get, set, delete and list are operations', () => sawAllOperations(open(), 'redis'));

  test('keys of any characters come back', () => listsAnyKey(open()));

  test('the empty key is listed, also where a page ends with it', () => listsTheEmptyKey(open()));

  test('what expired leaves the index with later writes', async () => {
    const name = namespace();
    const store = createRedisStore({ client, namespace: name, deadlineMs: 5_000 });
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.set(`short-${index}`, 1, { ttlMs: 5 })));
    await pass(20);
    await store.set('stays', 1);
    expect(await client.zCard(`{sage:kv:${name}}:keys`)).toBe(1);
  });

  test('a version does not come back when the server lost its data', async () => {
    const name = namespace();
    const store = createRedisStore({ client, namespace: name, deadlineMs: 5_000 });
    const before = await store.set('a', 1);
    for (const suffix of ['entry:a', 'keys', 'endings', 'version']) await client.del(`{sage:kv:${name}}:${suffix}`);
    expect(Number(await store.set('a', 1))).toBeGreaterThan(Number(before));
  });
});

describeWithService('postgres', 'postgres', (url) => {
  const sql = postgres(url, { max: 8, fetch_types: false, onnotice: () => {} });
  const client = fromPostgres(sql);
  const schema = `test_storage_${process.pid}`;
  const open = () => createPostgresStore({ client, schema, namespace: namespace() });
  beforeAll(async () => {
    await migrateStorage({ client, schema });
  });
  afterAll(async () => {
    await client.query(`drop schema ${schema} cascade`);
    await sql.end();
  });

  test.each(keyValueStoreCases)('$name', ({ run }) => run(async () => ({ store: open(), pass })));

  test('OM15 OM16: get, set, delete and list are operations', () => sawAllOperations(open(), 'postgres'));

  test('keys of any characters come back', () => listsAnyKey(open()));

  test('the empty key is listed, also where a page ends with it', () => listsTheEmptyKey(open()));

  test('rows that expired are removed by later writes', async () => {
    const name = namespace();
    const store = createPostgresStore({ client, schema, namespace: name });
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.set(`short-${index}`, 1, { ttlMs: 1 })));
    await pass(5);
    for (let write = 0; write < 256; write++) await store.set('stays', write);
    await store.close();
    expect(await client.query(`select key from ${schema}.sage_kv where namespace = $1`, [name])).toEqual([
      { key: 'stays' },
    ]);
  });
});
