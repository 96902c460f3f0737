import { strict as assert } from 'node:assert';
import { assertCancelled } from '../conformance-case.ts';
import { assertEntry, assertSameJson } from './same-json.ts';
import { type KeyValueStoreCase, storeCase } from './subject.ts';

const jsonValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1.5,
  Number.MAX_SAFE_INTEGER,
  1e300,
  5e-324,
  '',
  'text',
  'line\nbreak\ttab "quotes" \\ backslash',
  'zero \u0000 byte',
  'lone \ud800 surrogate',
  '日本語 👩‍👩‍👧 é e\u0301',
  [],
  {},
  [[], [null], {}],
  { a: { b: { c: [1, 'two', null, { d: false }] } } },
  { '': 'empty name', 'a.b': 1, $set: 2, constructor: 3, toString: 4 },
  JSON.parse('{"__proto__": {"polluted": true}}'),
];

const keys = [
  'plain',
  'with space',
  'a:b:c',
  'a/b?c=d#e',
  "it's",
  '"',
  '\\',
  '*',
  '%',
  '_',
  '日本語',
  '👩‍👩‍👧',
  '__proto__',
  'constructor',
  'k'.repeat(500),
];

/** Reading, writing, deleting: what goes in comes out. */
export const entryCases: readonly KeyValueStoreCase[] = [
  storeCase('a key that was never written has no entry', async (store) => {
    assert.equal(await store.get('missing'), undefined);
    assert.equal(await store.delete('missing'), false);
  }),

  storeCase('a value that was written is read with the version that the write returned', async (store) => {
    const version = await store.set('key', { a: 1 });
    assert.equal(typeof version, 'string');
    assertEntry(await store.get('key'), { a: 1 }, version);
  }),

  storeCase('a later write replaces the value', async (store) => {
    await store.set('key', { a: 1, b: 2 });
    await store.set('key', { a: 3 });
    assertSameJson((await store.get('key'))?.value, { a: 3 });
  }),

  storeCase('every JSON value comes back as it was', async (store) => {
    for (const [index, value] of jsonValues.entries()) {
      await store.set(`value-${index}`, value);
      const entry = await store.get(`value-${index}`);
      assert.notEqual(entry, undefined, `no entry for ${JSON.stringify(value)}`);
      assertSameJson(entry?.value, value);
      assert.equal(Object.hasOwn(Object(entry?.value), '__proto__'), Object.hasOwn(Object(value), '__proto__'));
    }
  }),

  storeCase('a value of one megabyte comes back as it was', async (store) => {
    const value = { text: 'x'.repeat(1_000_000) };
    await store.set('large', value);
    assertSameJson((await store.get('large'))?.value, value, 'a value of one megabyte');
  }),

  storeCase('what the caller does to a value afterwards does not reach the store', async (store) => {
    const written = { list: [1] };
    await store.set('key', written);
    written.list.push(2);
    const read = (await store.get('key'))?.value as { list: number[] };
    assertSameJson(read, { list: [1] });
    read.list.push(3);
    assertSameJson((await store.get('key'))?.value, { list: [1] });
  }),

  storeCase('any text is a key, and two texts are two keys', async (store) => {
    await Promise.all(keys.map((key, index) => store.set(key, index)));
    for (const [index, key] of keys.entries()) {
      assert.equal((await store.get(key))?.value, index, `the value of the key ${JSON.stringify(key)}`);
    }
    assert.equal(await store.delete('*'), true);
    assert.equal((await store.get('plain'))?.value, 0, 'deleting "*" deletes that key alone');
  }),

  storeCase('deleting says whether there was an entry', async (store) => {
    await store.set('key', 1);
    assert.equal(await store.delete('key'), true);
    assert.equal(await store.get('key'), undefined);
    assert.equal(await store.delete('key'), false);
  }),

  storeCase('an aborted signal rejects the call and nothing is written', async (store) => {
    const signal = AbortSignal.abort();
    await store.set('key', 'kept');
    await assertCancelled(() => store.get('key', { signal }), signal);
    await assertCancelled(() => store.set('key', 'lost', { signal }), signal);
    await assertCancelled(() => store.delete('key', { signal }), signal);
    await assertCancelled(() => store.list({ signal }), signal);
    assert.equal((await store.get('key'))?.value, 'kept');
  }),

  storeCase('closing twice is closing once', async (store) => {
    await store.set('key', 1);
    await store.close();
    await store.close();
  }),
];
