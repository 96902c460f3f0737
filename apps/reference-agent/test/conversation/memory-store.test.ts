import { describe, expect, test } from '@jest/globals';
import { createFakeClock, keyValueStoreCases, recordOperations } from '@sage-adk/core/testing';
import { createMemoryStore } from '../../src/conversation/memory-store.ts';

describe('keeps the contract of a store', () => {
  test.each([...keyValueStoreCases])('$name', (conformance) =>
    conformance.run(async () => {
      const clock = createFakeClock();
      return { store: createMemoryStore({ namespace: 'test', clock }), pass: async (ms) => clock.advance(ms) };
    }),
  );
});

describe('is bounded', () => {
  test('one entry too many pushes out the one that was written longest ago', async () => {
    const store = createMemoryStore({ namespace: 'test', maxEntries: 2 });
    for (const key of ['a', 'b', 'a', 'c']) await store.set(key, key);
    expect((await store.list()).keys).toEqual(['a', 'c']);
  });

  test('so does one byte too many', async () => {
    const store = createMemoryStore({ namespace: 'test', maxBytes: 300 });
    for (const key of ['a', 'b', 'c']) await store.set(key, 'x'.repeat(50));
    expect((await store.list()).keys).toEqual(['b', 'c']);
  });

  test('a value larger than the store is refused, and what was there stays', async () => {
    const store = createMemoryStore({ namespace: 'test', maxBytes: 300 });
    await store.set('a', 1);
    await expect(store.set('b', 'x'.repeat(500))).rejects.toMatchObject({ code: 'SAGE_AGENT_STORE_FULL' });
    expect((await store.list()).keys).toEqual(['a']);
  });

  test('entries that expired are dropped as others are written', async () => {
    const clock = createFakeClock();
    const store = createMemoryStore({ namespace: 'test', maxEntries: 1_000, maxBytes: 20_000, clock });
    for (let i = 0; i < 100; i++) await store.set(`old-${i}`, 'x'.repeat(50), { ttlMs: 10 });
    clock.advance(11);
    await store.set('new', 'x'.repeat(9_000));
    expect((await store.list()).keys).toEqual(['new']);
  });
});

test('OM15 OT5: each call is a storage operation', async () => {
  using recorder = recordOperations();
  const store = createMemoryStore({ namespace: 'test' });
  await store.set('key', 1);
  await store.get('key');
  await store.list();
  await store.delete('key');
  expect(recorder.operations.map(({ name, start, attributes }) => [name, start, attributes])).toEqual([
    ['storage.set', { store: 'memory', namespace: 'test' }, { key: 'key', conditional: false, written: true }],
    ['storage.get', { store: 'memory', namespace: 'test' }, { key: 'key', hit: true }],
    ['storage.list', { store: 'memory', namespace: 'test' }, { prefix: '', limit: 100, count: 1 }],
    ['storage.delete', { store: 'memory', namespace: 'test' }, { key: 'key', deleted: true }],
  ]);
});
