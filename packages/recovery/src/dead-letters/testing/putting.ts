import { strict as assert } from 'node:assert';
import { all, claimOne, type DeadLetterCase, failed, inTime, letterCase, only } from './subject.ts';

/** What goes in, and how long it stays. */
export const puttingCases: readonly DeadLetterCase[] = [
  letterCase('a message is kept with its payload, headers and failure', {}, async (store) => {
    const payload = { text: 'zero \u0000 byte, 日本語, "quotes"', list: [1.5, null, {}, []] };
    const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    const error = Object.assign(new TypeError('no such \u0000 thing'), { status: 503 });
    const { id, duplicate, dropped } = await store.put({
      source: "a 'source'\0",
      dedupeKey: 'k\0',
      payload,
      headers,
      error,
    });
    const letter = await only(store);

    assert.deepEqual([duplicate, dropped], [false, 0]);
    assert.equal(letter.id, id);
    assert.equal(letter.source, "a 'source'\0");
    assert.equal(letter.dedupeKey, 'k\0');
    assert.equal(JSON.stringify(letter.payload), JSON.stringify(payload));
    assert.equal(JSON.stringify(letter.headers), JSON.stringify(headers));
    assert.deepEqual([letter.error.name, letter.error.message], ['TypeError', 'no such \u0000 thing']);
    assert.equal(letter.error.category, 'transient');
    assert.deepEqual([letter.state, letter.failures, letter.redrives], ['dead', 1, 0]);
    assert.match(letter.fingerprint, /^[0-9a-f]{16}$/);
    assert.equal(letter.expiresAtMs - letter.failedAtMs, 30 * 24 * 60 * 60 * 1_000);
  }),

  letterCase('source and key may hold any text', {}, async (store) => {
    const texts = ['', '\ud800', 'a\u{10ffff}', String.raw`\u{10ffff}`, String.raw`\\u{10ffff}`];
    for (const text of texts) await store.put(failed(text, { source: text }));
    assert.deepEqual(
      (await all(store)).map(({ source, dedupeKey }) => [source, dedupeKey]),
      texts.map((text) => [text, text]),
    );
    assert.equal((await store.claim({ limit: 10 })).length, texts.length);
  }),

  letterCase('an error whose name, message and stack are no texts is a failure like any other', {}, async (store) => {
    const error = Object.assign(new Error('x'), { name: 7, message: ['a', { b: 1 }], stack: [{}] });
    await store.put(failed('a', { error }));
    assert.deepEqual([(await only(store)).error.name, (await only(store)).error.message], ['7', '["a",{"b":1}]']);
    const circular = Object.assign(new Error('x'), { message: Object.create(null) as Record<string, unknown> });
    (circular.message as unknown as Record<string, unknown>)['self'] = circular.message;
    assert.equal(await store.nack(await claimOne(store), { error: circular }), true);
    assert.equal((await only(store)).error.message, '[object Object]');
  }),

  letterCase('the same message failing again is the same letter, with one more failure', {}, async (store) => {
    const first = await store.put(failed('a'));
    const second = await store.put(failed('a', { payload: 'other', error: new Error('something else') }));
    const letter = await only(store);

    assert.deepEqual([second.id, second.duplicate], [first.id, true]);
    assert.equal(letter.failures, 2);
    assert.equal(letter.error.message, 'something else');
    assert.equal(JSON.stringify(letter.payload), '{"text":"a"}');
  }),

  letterCase('two sources may use one key, and without a key nothing is the same', {}, async (store) => {
    const results = [
      await store.put(failed('a')),
      await store.put(failed('a', { source: 'outbox' })),
      await store.put({ source: 'inbox', payload: 1, error: 'text' }),
      await store.put({ source: 'inbox', payload: 1, error: 'text' }),
    ];
    assert.deepEqual(
      results.map(({ duplicate }) => duplicate),
      [false, false, false, false],
    );
    assert.equal((await all(store)).length, 4);
  }),

  letterCase('twenty that put one message at once make one letter of twenty failures', {}, async (store) => {
    const results = await Promise.all(Array.from({ length: 20 }, () => store.put(failed('a'))));
    assert.equal(results.filter(({ duplicate }) => !duplicate).length, 1);
    assert.equal((await only(store)).failures, 20);
  }),

  letterCase('a failure while it is claimed takes the claim away', {}, async (store) => {
    await store.put(failed('a'));
    const claim = await claimOne(store);
    await store.put(failed('a', { error: new Error('again') }));

    assert.equal(await store.ack(claim), false);
    assert.deepEqual([(await only(store)).state, (await only(store)).failures], ['dead', 2]);
    assert.notEqual((await claimOne(store)).version, claim.version);
  }),

  letterCase(
    'a letter leaves when its retention is over, and its message is new then',
    { retentionMs: 300 },
    async (store, { pass }) => {
      const { id } = await store.put(failed('a'));
      await store.put(failed('parked'));
      await pass(400);
      assert.equal((await all(store)).length, 0);
      assert.deepEqual(await store.claim(), []);
      assert.equal(await store.release(id), false);
      const { dead, claimed, parked } = await store.stats();
      assert.deepEqual([dead, claimed, parked], [0, 0, 0]);
      await inTime(async () => {
        const again = await store.put(failed('a'));
        assert.equal(again.duplicate, false);
        assert.notEqual(again.id, id);
        assert.equal((await only(store)).failures, 1);
      });
    },
  ),

  letterCase('each failure renews the retention', { retentionMs: 500 }, async (store, { pass }) => {
    await inTime(async () => {
      await store.purge({});
      await store.put(failed('a'));
      await pass(300);
      await store.put(failed('a'));
      await pass(300);
      assert.equal((await only(store)).failures, 2);
    });
  }),

  letterCase(
    "retention does not take a letter out of somebody's hands",
    { retentionMs: 300 },
    async (store, { pass }) => {
      const claim = await inTime(async () => {
        await store.put(failed('a'));
        return claimOne(store);
      });
      await pass(400);
      assert.equal(await store.ack(claim), true);
    },
  ),

  letterCase('a full store rejects what is new and takes what it knows', { maxEntries: 2 }, async (store) => {
    await store.put(failed('a'));
    await store.put(failed('b'));
    await assert.rejects(store.put(failed('c')), { code: 'SAGE_DLQ_FULL' });
    assert.equal((await store.put(failed('b'))).duplicate, true);
    assert.deepEqual(
      (await all(store)).map(({ dedupeKey }) => dedupeKey),
      ['a', 'b'],
    );
  }),

  letterCase(
    'drop-oldest removes the oldest that nobody holds, and counts',
    { maxEntries: 2, whenFull: 'drop-oldest' },
    async (store, { pass }) => {
      await store.put(failed('held'));
      await pass(5);
      const claim = await claimOne(store);
      await store.put(failed('b'));
      await pass(5);
      const { dropped } = await store.put(failed('c'));
      assert.equal(dropped, 1);
      assert.deepEqual(
        (await all(store)).map(({ dedupeKey }) => dedupeKey),
        ['held', 'c'],
      );
      assert.equal((await store.stats()).dropped, 1);
      assert.equal(await store.ack(claim), true);
    },
  ),

  letterCase('a letter that is too large, or no JSON, is refused', { maxLetterBytes: 20_000 }, async (store) => {
    await assert.rejects(store.put(failed('a', { payload: 'x'.repeat(20_000) })), { code: 'SAGE_DLQ_TOO_LARGE' });
    await assert.rejects(store.put(failed('a', { payload: 1n })), { code: 'SAGE_DLQ_NOT_JSON' });
    assert.equal((await all(store)).length, 0);
  }),

  letterCase(
    'what is redacted is not kept',
    { redact: (draft) => ({ ...draft, payload: 'gone', error: { ...draft.error, message: 'gone' } }) },
    async (store) => {
      await store.put(failed('a', { payload: 'secret', error: new Error('secret') }));
      const letter = await only(store);
      assert.deepEqual([letter.payload, letter.error.message], ['gone', 'gone']);
    },
  ),

  letterCase('no secret of an error is kept, by put or by nack', { secrets: ['open sesame'] }, async (store) => {
    const error = new Error('open sesame, sk-0123456789abcdef, https://ada:lovelace@host');
    const check = async () => {
      const { message, stack } = (await only(store)).error;
      assert.equal(message, '[redacted], [redacted], https://ada:[redacted]@host');
      assert.doesNotMatch(stack ?? '', /sesame|abcdef|lovelace/);
    };
    await store.put(failed('a', { error }));
    await check();
    assert.equal(await store.nack(await claimOne(store), { error }), true);
    await check();
  }),
];
