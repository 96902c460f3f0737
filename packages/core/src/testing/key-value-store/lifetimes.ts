import { strict as assert } from 'node:assert';
import { assertSameJson } from './same-json.ts';
import { type KeyValueStoreCase, storeCase } from './subject.ts';

const shortMs = 50;
const afterShortMs = 120;
const longMs = 600_000;

/** Entries that end by themselves. */
export const lifetimeCases: readonly KeyValueStoreCase[] = [
  storeCase('an entry is gone after its ttl', async (store, { pass }) => {
    await store.set('short', 1, { ttlMs: shortMs });
    await store.set('other', 1);
    await pass(afterShortMs);
    assert.equal(await store.get('short'), undefined);
    assert.equal((await store.get('other'))?.value, 1);
  }),

  storeCase('an entry stays until its ttl', async (store, { pass }) => {
    await store.set('long', 1, { ttlMs: longMs });
    await pass(afterShortMs);
    assert.equal((await store.get('long'))?.value, 1);
  }),

  storeCase('an expired entry is not listed, and deleting it finds nothing', async (store, { pass }) => {
    await store.set('short', 1, { ttlMs: shortMs });
    await store.set('long', 1, { ttlMs: longMs });
    await pass(afterShortMs);
    assertSameJson((await store.list()).keys, ['long']);
    assert.equal(await store.delete('short'), false);
  }),

  storeCase('an expired entry is none for ifVersion', async (store, { pass }) => {
    const expired = await store.set('key', 1, { ttlMs: shortMs });
    await pass(afterShortMs);
    assert.equal(await store.set('key', 2, { ifVersion: expired ?? '' }), undefined);
    assert.equal(typeof (await store.set('key', 3, { ifVersion: null })), 'string');
    assert.equal((await store.get('key'))?.value, 3);
  }),

  storeCase('a write without ttl makes the entry stay', async (store, { pass }) => {
    await store.set('key', 1, { ttlMs: shortMs });
    await store.set('key', 2);
    await pass(afterShortMs);
    assert.equal((await store.get('key'))?.value, 2);
  }),

  storeCase('a write with ttl makes an entry that stayed end', async (store, { pass }) => {
    await store.set('key', 1);
    await store.set('key', 2, { ttlMs: shortMs });
    await pass(afterShortMs);
    assert.equal(await store.get('key'), undefined);
  }),

  storeCase('a write that ifVersion refused does not change the ttl', async (store, { pass }) => {
    await store.set('staying', 1);
    await store.set('staying', 2, { ifVersion: null, ttlMs: shortMs });
    // A busy machine may take so long that the entry has ended and the second write is the first of a new one.
    let ending = '';
    for (let round = 0, taken = true; round < 5 && taken; round++) {
      ending = `ending ${round}`;
      await store.set(ending, 1, { ttlMs: shortMs });
      taken = (await store.set(ending, 2, { ifVersion: null, ttlMs: longMs })) !== undefined;
    }
    await pass(afterShortMs);
    assert.equal((await store.get('staying'))?.value, 1);
    assert.equal(await store.get(ending), undefined);
  }),
];
