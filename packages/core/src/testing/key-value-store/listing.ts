import { strict as assert } from 'node:assert';
import type { KeyValueStore, ListOptions } from '../../contracts/key-value-store.ts';
import { type KeyValueStoreCase, storeCase } from './subject.ts';

/** Each would mean something in a glob, a LIKE pattern, a regular expression or a path. */
const specialPrefixes = [
  '*',
  '?',
  '[ab]',
  '[',
  '%',
  '_',
  '\\',
  '\\%',
  '.',
  '.*',
  '^',
  '$',
  '{a,b}',
  '(',
  "'",
  '"',
  ':',
  'ä',
  '👩‍👩‍👧',
  '__proto__',
];

/** Listing keys by prefix, a page at a time. */
export const listingCases: readonly KeyValueStoreCase[] = [
  storeCase('an empty store lists nothing on one page', async (store) => {
    const page = await store.list();
    assert.equal(page.keys.length, 0);
    assert.equal(page.nextCursor, undefined);
  }),

  storeCase('without a prefix every key is listed', async (store) => {
    await fill(store, ['b', 'a', 'c:d']);
    assert.deepEqual(await listAll(store), ['a', 'b', 'c:d']);
  }),

  storeCase('a prefix lists the keys that start with it, and no others', async (store) => {
    await fill(store, ['user:1', 'user:2', 'user', 'users:1', 'xuser:1', 'USER:1']);
    assert.deepEqual(await listAll(store, { prefix: 'user:' }), ['user:1', 'user:2']);
    assert.deepEqual(await listAll(store, { prefix: 'nobody' }), []);
  }),

  storeCase('a prefix is text, not a pattern', async (store) => {
    const wanted = specialPrefixes.map((prefix) => `${prefix}key`);
    await fill(store, [...wanted, 'akey', 'bkey', 'plain', 'key']);
    for (const [index, prefix] of specialPrefixes.entries()) {
      const expected = wanted.filter((key) => key.startsWith(prefix)).sort();
      assert.ok(expected.includes(wanted[index] ?? ''));
      assert.deepEqual(await listAll(store, { prefix }), expected, `keys that start with ${JSON.stringify(prefix)}`);
    }
  }),

  storeCase('deleted keys are not listed', async (store) => {
    await fill(store, ['a', 'b']);
    await store.delete('a');
    assert.deepEqual(await listAll(store), ['b']);
  }),

  storeCase('a page holds at most the limit, 100 by default, and the pages hold every key', async (store) => {
    const keys = Array.from({ length: 230 }, (_, index) => `page:${index}`);
    await fill(store, [...keys, 'other']);
    for (const limit of [1, 7, 100, 1_000]) {
      assert.deepEqual(await listAll(store, { prefix: 'page:', limit }), [...keys].sort(), `with a limit of ${limit}`);
    }
    assert.ok((await store.list()).keys.length <= 100, 'the default page');
  }),

  storeCase('keys that stand during the whole listing come at least once while others come and go', async (store) => {
    const standing = Array.from({ length: 60 }, (_, index) => `m:${index}`);
    const leaving = Array.from({ length: 30 }, (_, index) => `m:leaving:${index}`);
    await fill(store, [...leaving, ...standing]);
    let page = 0;
    const listed = await listAll(store, { prefix: 'm:', limit: 7 }, async () => {
      // Before, between and after the standing keys in any order a store may have.
      if (page < 15) await fill(store, [`m:!${page}`, `m:3${page}x`, `m:~${page}`]);
      await Promise.all(leaving.slice(2 * page, 2 * page + 2).map((key) => store.delete(key)));
      page++;
    });
    for (const key of standing) assert.ok(listed.includes(key), `${key} stood during the whole listing`);
    for (const key of listed) assert.ok(key.startsWith('m:'));
  }),
];

/** Every key once, sorted. A store may list one twice. */
async function listAll(
  store: KeyValueStore,
  options: ListOptions = {},
  between?: () => Promise<void>,
): Promise<readonly string[]> {
  const keys = new Set<string>();
  let cursor: string | undefined;
  for (let pages = 0; pages < 5_000; pages++) {
    const page = await store.list({ ...options, ...(cursor !== undefined && { cursor }) });
    assert.ok(page.keys.length <= (options.limit ?? 100), `a page of ${page.keys.length} keys`);
    for (const key of page.keys) keys.add(key);
    if (page.nextCursor === undefined) return [...keys].sort();
    cursor = page.nextCursor;
    await between?.();
  }
  throw new assert.AssertionError({ message: 'the listing has no end' });
}

async function fill(store: KeyValueStore, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => store.set(key, 1)));
}
