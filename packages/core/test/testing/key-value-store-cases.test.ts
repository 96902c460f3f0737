import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import type { Entry, StoreCallOptions } from '../../src/index.ts';
import { createFakeClock, keyValueStoreCases, type KeyValueStoreSubject } from '../../src/testing/index.ts';
import { brokenStores } from './broken-stores.ts';
import { failuresOf } from './conformance.ts';
import { MemoryStore } from './memory-store.ts';

function subjectOf(Store: typeof MemoryStore): () => Promise<KeyValueStoreSubject> {
  return async () => {
    const clock = createFakeClock();
    return { store: new Store(clock), pass: async (ms) => clock.advance(ms) };
  };
}

describe('a store that keeps the contract', () => {
  test.each(keyValueStoreCases)('$name', ({ run }) => run(subjectOf(MemoryStore)));
});

test('a store whose values come from another realm keeps the contract', async () => {
  const parse = runInNewContext('JSON.parse') as typeof JSON.parse;
  class ForeignStore extends MemoryStore {
    override async get(key: string, options?: StoreCallOptions): Promise<Entry | undefined> {
      const entry = await super.get(key, options);
      return entry && { ...entry, value: parse(JSON.stringify(entry.value)) };
    }
  }
  expect(await failuresOf(keyValueStoreCases, subjectOf(ForeignStore))).toEqual([]);
});

describe('the suite can fail', () => {
  const caught = new Set<string>();

  test.each(Object.entries(brokenStores))('for a store with this fault: %s', async (_fault, Store) => {
    const failed = await failuresOf(keyValueStoreCases, subjectOf(Store));
    for (const name of failed) caught.add(name);
    expect(failed.length).toBeGreaterThan(0);
  });

  test('each of its cases fails for some broken store', () => {
    expect(keyValueStoreCases.map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([]);
  });

  test('no two cases have one name', () => {
    expect(new Set(keyValueStoreCases.map(({ name }) => name)).size).toBe(keyValueStoreCases.length);
  });
});
