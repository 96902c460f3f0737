import { strict as assert } from 'node:assert';
import { claimOne, type DeadLetterCase, failed, letterCase, only } from './subject.ts';

/** Who holds a letter, and who does no longer. */
export const claimingCases: readonly DeadLetterCase[] = [
  letterCase('an acknowledged letter is gone, and cannot be acknowledged twice', {}, async (store) => {
    await store.put(failed('a'));
    const claim = await claimOne(store);
    assert.deepEqual([claim.state, claim.redrives], ['claimed', 1]);
    assert.equal(await store.ack(claim), true);
    assert.equal(await store.ack(claim), false);
    assert.equal(await store.nack(claim), false);
    assert.equal(await store.extend(claim, 1_000), false);
    assert.deepEqual(await store.claim({ limit: 10 }), []);
  }),

  letterCase("a claimed letter is nobody else's while the lease lasts", {}, async (store, { pass }) => {
    await store.put(failed('held'));
    await claimOne(store);
    assert.deepEqual(await store.claim(), []);
    await store.put(failed('left'));
    const first = await claimOne(store, 50);
    await pass(100);
    const second = await claimOne(store);
    assert.equal(second.id, first.id);
    assert.ok(second.version > first.version, 'a later claim has a higher fencing token');
  }),

  letterCase("a worker that comes late cannot touch another's claim", {}, async (store, { pass }) => {
    await store.put(failed('a'));
    const late = await claimOne(store, 50);
    await pass(100);
    const holder = await claimOne(store);
    assert.equal(await store.ack(late), false);
    assert.equal(await store.nack(late), false);
    assert.equal(await store.extend(late, 1_000), false);
    assert.equal(await store.ack(holder), true);
  }),

  letterCase('a lease that ran out and was taken by nobody can still be acknowledged', {}, async (store, { pass }) => {
    await store.put(failed('a'));
    const claim = await claimOne(store, 50);
    await pass(100);
    assert.equal(await store.ack(claim), true);
  }),

  letterCase('an extended lease holds longer', {}, async (store, { pass }) => {
    await store.put(failed('a'));
    const claim = await claimOne(store, 100);
    assert.equal(await store.extend(claim, 60_000), true);
    await pass(200);
    assert.deepEqual(await store.claim(), []);
    assert.equal(await store.ack(claim), true);
  }),

  letterCase('a letter that is given back comes again after its delay', {}, async (store, { pass }) => {
    await store.put(failed('a'));
    assert.equal(await store.nack(await claimOne(store), { delayMs: 60_000, error: new Error('still') }), true);
    assert.deepEqual(await store.claim(), []);
    const letter = await only(store);
    assert.deepEqual([letter.failures, letter.error.message, letter.state], [2, 'still', 'dead']);
    await store.put(failed('b'));
    assert.equal(await store.nack(await claimOne(store), { delayMs: 50 }), true);
    await pass(100);
    const again = await claimOne(store);
    assert.deepEqual([again.dedupeKey, again.redrives], ['b', 2]);
  }),

  letterCase('a letter that is given back without an error keeps its failure', {}, async (store) => {
    await store.put(failed('a'));
    await store.nack(await claimOne(store));
    const letter = await only(store);
    assert.deepEqual([letter.failures, letter.error.message], [1, 'it broke']);
  }),

  letterCase('a new letter waits for its delay', {}, async (store, { pass }) => {
    await store.put(failed('a', { delayMs: 60_000 }));
    assert.deepEqual(await store.claim(), []);
    await store.put(failed('b', { delayMs: 50 }));
    await pass(100);
    assert.equal((await claimOne(store)).dedupeKey, 'b');
    assert.deepEqual(await store.claim(), []);
  }),

  letterCase('the letter that waited longest is first', {}, async (store, { pass }) => {
    for (const key of ['a', 'b', 'c']) {
      await store.put(failed(key));
      await pass(5);
    }
    const claimed = await store.claim({ limit: 2 });
    assert.deepEqual(claimed.map(({ dedupeKey }) => dedupeKey).sort(), ['a', 'b']);
  }),

  letterCase('only the letters that are asked for are claimed', {}, async (store) => {
    await store.put(failed('a'));
    const { id } = await store.put(failed('b'));
    assert.deepEqual(await store.claim({ limit: 10, ids: [] }), []);
    const claimed = await store.claim({ limit: 10, ids: [id, 'unknown'] });
    assert.deepEqual(
      claimed.map(({ dedupeKey }) => dedupeKey),
      ['b'],
    );
  }),

  letterCase('a letter that is asked for twice is claimed once', {}, async (store) => {
    const { id } = await store.put(failed('a'));
    const claimed = await store.claim({ limit: 10, ids: [id, id] });
    assert.deepEqual(
      claimed.map(({ redrives }) => redrives),
      [1],
    );
    assert.equal((await only(store)).redrives, 1);
  }),

  letterCase('eight that claim at once share the letters, each in one hand', {}, async (store) => {
    await Promise.all(Array.from({ length: 40 }, (_, index) => store.put(failed(`letter-${index}`))));
    const ids: string[] = [];
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (
          let claimed = await store.claim({ limit: 3 });
          claimed.length > 0;
          claimed = await store.claim({ limit: 3 })
        ) {
          ids.push(...claimed.map(({ id }) => id));
        }
      }),
    );
    assert.equal(ids.length, 40);
    assert.equal(new Set(ids).size, 40);
  }),

  letterCase(
    'a letter is parked after its last redrive, and a person can release it',
    { maxRedrives: 2 },
    async (store) => {
      const { id } = await store.put(failed('a'));
      await store.nack(await claimOne(store), { error: new Error('no') });
      await store.nack(await claimOne(store), { error: new Error('no') });
      assert.equal((await only(store)).state, 'parked');
      assert.deepEqual(await store.claim(), []);
      await store.put(failed('a'));
      assert.equal((await only(store)).state, 'parked');
      assert.equal(await store.release(id), true);
      assert.equal(await store.release(id), false);
      assert.equal((await claimOne(store)).redrives, 1);
    },
  ),

  letterCase(
    'a letter whose workers all died is parked, and those behind it come',
    { maxRedrives: 1 },
    async (store, { pass }) => {
      await store.put(failed('poison'));
      await claimOne(store, 50);
      await store.put(failed('other', { delayMs: 60 }));
      await pass(120);
      assert.equal((await claimOne(store)).dedupeKey, 'other');
      const { dead, claimed, parked } = await store.stats();
      assert.deepEqual([dead, claimed, parked], [0, 1, 1]);
    },
  ),
];
