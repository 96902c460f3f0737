import { strict as assert } from 'node:assert';
import type { KeyValueStore } from '../../contracts/key-value-store.ts';
import { assertEntry } from './same-json.ts';
import { type KeyValueStoreCase, storeCase } from './subject.ts';

/** Versions, and writes that depend on them. */
export const versionCases: readonly KeyValueStoreCase[] = [
  storeCase('each write changes the version, even of an equal value', async (store) => {
    const versions = [await store.set('key', 1), await store.set('key', 1), await store.set('key', 2)];
    assert.equal(new Set(versions).size, 3);
  }),

  storeCase('a read does not change the version', async (store) => {
    const written = await store.set('key', 1);
    await store.get('key');
    assert.equal((await store.get('key'))?.version, written);
  }),

  storeCase('ifVersion writes over that version and returns the next one', async (store) => {
    const first = await version(store, 'key', 'first');
    const second = await store.set('key', 'second', { ifVersion: first });
    assert.equal(typeof second, 'string');
    assert.notEqual(second, first);
    assertEntry(await store.get('key'), 'second', second);
  }),

  storeCase('ifVersion of an older write writes nothing', async (store) => {
    const first = await version(store, 'key', 'first');
    const second = await store.set('key', 'second');
    assert.equal(await store.set('key', 'third', { ifVersion: first }), undefined);
    assertEntry(await store.get('key'), 'second', second);
  }),

  storeCase('ifVersion of a key without an entry writes nothing, whatever the version', async (store) => {
    for (const ifVersion of ['1', '0', '', 'no version of this store', "'; --"]) {
      assert.equal(await store.set('missing', 1, { ifVersion }), undefined);
    }
    assert.equal(await store.get('missing'), undefined);
  }),

  storeCase('ifVersion null writes only where there is no entry', async (store) => {
    const first = await store.set('key', 'first', { ifVersion: null });
    assert.equal(typeof first, 'string');
    assert.equal(await store.set('key', 'second', { ifVersion: null }), undefined);
    assertEntry(await store.get('key'), 'first', first);
  }),

  storeCase('an entry whose value is null is an entry', async (store) => {
    await store.set('key', null);
    assert.equal(await store.set('key', 1, { ifVersion: null }), undefined);
    assert.equal((await store.get('key'))?.value, null);
  }),

  storeCase('a version does not come back after deleting and writing anew', async (store) => {
    const first = await version(store, 'key', 'first');
    await store.delete('key');
    const second = await store.set('key', 'first');
    assert.notEqual(second, first);
    assert.equal(await store.set('key', 'stale', { ifVersion: first }), undefined);
  }),

  storeCase('of twenty that create the same key at once, one does', async (store) => {
    const versions = await Promise.all(range(20).map((writer) => store.set('key', writer, { ifVersion: null })));
    assert.equal(versions.filter((written) => written !== undefined).length, 1);
    assert.equal(
      (await store.get('key'))?.value,
      versions.findIndex((written) => written !== undefined),
    );
  }),

  storeCase('of twenty that write over the same version at once, one does', async (store) => {
    const ifVersion = await version(store, 'key', 'first');
    const versions = await Promise.all(range(20).map((writer) => store.set('key', writer, { ifVersion })));
    assert.equal(versions.filter((written) => written !== undefined).length, 1);
    assert.equal(
      (await store.get('key'))?.value,
      versions.findIndex((written) => written !== undefined),
    );
  }),

  storeCase('ten writers that count by compare and set lose no count', async (store) => {
    await Promise.all(range(10).map(() => addOne(store, 'count', 5)));
    assert.equal((await store.get('count'))?.value, 50);
  }),
];

async function version(store: KeyValueStore, key: string, value: unknown): Promise<string> {
  const written = await store.set(key, value);
  assert.ok(written !== undefined, 'a write without a condition returns its version');
  return written;
}

async function addOne(store: KeyValueStore, key: string, times: number): Promise<void> {
  for (let done = 0, tries = 0; done < times; tries++) {
    assert.ok(tries < 10_000, 'compare and set makes progress');
    const entry = await store.get(key);
    const count = (entry?.value ?? 0) as number;
    const written = await store.set(key, count + 1, { ifVersion: entry?.version ?? null });
    if (written !== undefined) done++;
  }
}

function range(length: number): readonly number[] {
  return Array.from({ length }, (_, index) => index);
}
