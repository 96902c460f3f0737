import { strict as assert } from 'node:assert';
import type { DeadLetterStore } from '../store.ts';
import { all, claimOne, type DeadLetterCase, failed, letterCase } from './subject.ts';

async function fill(store: DeadLetterStore): Promise<void> {
  await store.put(failed('a', { source: 'one', error: Object.assign(new Error('x'), { status: 503 }) }));
  await store.put(failed('b', { source: 'two', payload: { text: '100 % "of" it\\' } }));
  await store.put(failed('c', { source: 'two', error: Object.assign(new Error('y'), { status: 404 }) }));
}

/** Searching, counting, removing. */
export const lookingCases: readonly DeadLetterCase[] = [
  letterCase('letters are found by what is known of them', {}, async (store) => {
    await fill(store);
    const keys = async (filter: Parameters<typeof all>[1]) =>
      (await all(store, filter))
        .map(({ dedupeKey }) => dedupeKey)
        .sort()
        .join('');
    const [first] = await all(store, { source: 'one' });
    assert.ok(first);
    assert.equal(await keys({}), 'abc');
    assert.equal(await keys({ source: 'two' }), 'bc');
    assert.equal(await keys({ category: 'transient' }), 'a');
    assert.equal(await keys({ reason: 'unknown', source: 'two' }), 'bc');
    assert.equal(await keys({ fingerprint: first.fingerprint }), 'a');
    assert.equal(await keys({ ids: [first.id] }), 'a');
    assert.equal(await keys({ ids: [] }), '');
    assert.equal(await keys({ text: '% "of" it\\' }), 'b');
    assert.equal(await keys({ text: '100 _' }), '');
    assert.equal(await keys({ state: 'parked' }), '');
    assert.equal(await keys({ failedFromMs: first.failedAtMs }), 'abc');
    assert.equal(await keys({ failedBeforeMs: first.failedAtMs }), '');
  }),

  letterCase('a search goes over any number of letters', {}, async (store) => {
    await Promise.all(Array.from({ length: 230 }, (_, index) => store.put(failed(`letter-${index}`))));
    const ids = (await all(store)).map(({ id }) => id);
    assert.equal(new Set(ids).size, 230);
    assert.deepEqual(ids, [...ids].sort());
  }),

  letterCase('a purge removes what fits, a dry run only counts it', {}, async (store) => {
    await fill(store);
    assert.equal(await store.purge({ source: 'two' }, { dryRun: true }), 2);
    assert.equal((await all(store)).length, 3);
    assert.equal(await store.purge({ source: 'two' }), 2);
    assert.deepEqual(
      (await all(store)).map(({ dedupeKey }) => dedupeKey),
      ['a'],
    );
    assert.equal((await store.put(failed('b', { source: 'two' }))).duplicate, false);
  }),

  letterCase("a purge leaves what is in somebody's hands", {}, async (store) => {
    await store.put(failed('a'));
    const claim = await claimOne(store);
    assert.equal(await store.purge({}), 0);
    assert.equal(await store.ack(claim), true);
  }),

  letterCase('the age of the oldest letter is that of its first failure', {}, async (store, { pass }) => {
    const age = async () => (await store.stats()).oldestAgeMs;
    assert.equal(await age(), undefined);
    await store.put(failed('a'));
    await pass(40);
    await store.put(failed('b'));
    await store.nack(await claimOne(store), { delayMs: 60_000, error: new Error('again') });
    await pass(40);
    const [first, second] = await all(store);
    const oldest = await age();
    assert.ok(oldest !== undefined && oldest >= 75, `80 ms and more have passed, not ${oldest}`);
    assert.ok(first && second && first.firstFailedAtMs < second.firstFailedAtMs);
    await store.purge({ ids: [first.id] });
    const next = await age();
    const apartMs = second.firstFailedAtMs - first.firstFailedAtMs;
    // The clock went on in between, so the second is by less younger than the first was.
    assert.ok(next !== undefined && next >= 35 && next >= oldest - apartMs - 5, `${next} after ${oldest}`);
    await store.purge({});
    assert.equal(await age(), undefined);
  }),

  letterCase('what expired is not counted', { retentionMs: 60 }, async (store, { pass }) => {
    await store.put(failed('a'));
    await pass(80);
    const { dead, oldestAgeMs } = await store.stats();
    assert.deepEqual([dead, oldestAgeMs], [0, undefined]);
  }),

  letterCase('letters are counted by state', { maxRedrives: 1 }, async (store) => {
    await store.put(failed('a'));
    await store.nack(await claimOne(store));
    await store.put(failed('b'));
    await claimOne(store);
    await store.put(failed('c'));
    const { dead, claimed, parked, dropped } = await store.stats();
    assert.deepEqual([dead, claimed, parked, dropped], [1, 1, 1, 0]);
  }),
];
