import { strict as assert } from 'node:assert';
import type { Rule } from '../rule.ts';
import { asker, idOf, storeCase, type StoreCase, ttlUs } from './subject.ts';

const kinds: readonly (readonly [string, Partial<Rule>])[] = [
  ['bucket', {}],
  ['window', { strategy: 'fixed-window' }],
  ['calendar', { per: 'calendar-month' }],
  ['log', { strategy: 'sliding-window' }],
  ['sliding', { strategy: 'sliding-window', limit: 1_000 }],
];

/** Reservations: leases that are settled once, whatever becomes of their holder. */
export const reservationCases: readonly StoreCase[] = [
  storeCase('a settlement gives back what was not used', async ({ reserve, settle, peek }) => {
    for (const [name, fields] of kinds) {
      const ask = asker({ ...fields, name });
      assert.equal((await reserve(name, ask(8))).findings[0]?.remaining, ask.rule.limit - 8, name);
      assert.equal(await settle(name, ask(3)), true, name);
      assert.equal((await peek(ask(0))).findings[0]?.remaining, ask.rule.limit - 3, name);
    }
  }),

  storeCase('a settlement of nothing leaves no trace', async ({ reserve, settle, peek }) => {
    for (const [name, fields] of kinds) {
      const ask = asker({ ...fields, name });
      await reserve(name, ask(8));
      await settle(name, ask(0));
      const { remaining, resetAfterUs } = (await peek(ask(0))).findings[0] ?? {};
      assert.deepEqual([remaining, resetAfterUs], [ask.rule.limit, 0], name);
    }
  }),

  storeCase('what was used beyond the reservation is charged, and told where it is beyond the limit', async (bench) => {
    for (const [name, fields] of kinds) {
      const ask = asker({ ...fields, name });
      await bench.reserve(name, ask(ask.rule.limit - 2));
      const first = await bench.store.settle({ id: idOf(name), asks: [ask(ask.rule.limit - 1)] });
      assert.deepEqual(first, { settled: true, over: [0] }, name);
      await bench.reserve('again', ask(1));
      const second = await bench.store.settle({ id: idOf('again'), asks: [ask(6)] });
      assert.deepEqual(second, { settled: true, over: [5] }, name);
      assert.equal((await bench.peek(ask(1))).allowed, false, name);
    }
  }),

  storeCase('a reservation is settled once', async ({ reserve, settle, peek }) => {
    const ask = asker();
    await reserve('one', ask(5));
    assert.equal(await settle('one', ask(2)), true);
    assert.equal(await settle('one', ask(0)), false);
    assert.equal(await settle('other', ask(9)), false);
    assert.equal((await peek(ask(0))).findings[0]?.remaining, 8);
  }),

  storeCase('the same reservation made twice is charged once', async ({ reserve, settle, peek }) => {
    const ask = asker();
    assert.equal((await reserve('one', ask(6))).repeated, undefined);
    const again = await reserve('one', ask(6));
    assert.deepEqual([again.allowed, again.repeated], [true, true]);
    assert.equal((await peek(ask(0))).findings[0]?.remaining, 4);
    await settle('one', ask(0));
    assert.equal((await reserve('one', ask(6))).repeated, undefined);
  }),

  storeCase('reservations of one id for other keys do not see each other', async ({ store, reserve, settle, peek }) => {
    const slot = asker({ unit: 'concurrency', limit: 1 });
    for (const user of ['ada', 'bob']) assert.equal((await reserve('one', slot(1, user))).repeated, undefined, user);
    assert.equal((await reserve('one', slot(1, 'ada'))).repeated, true);
    assert.equal(await store.extend({ id: idOf('one'), asks: [slot(1, 'ada')], ttlUs }), true);
    assert.equal(await settle('one', slot(0, 'ada')), true);
    assert.equal(await settle('one', slot(0, 'ada')), false);
    assert.deepEqual([(await peek(slot(1, 'ada'))).allowed, (await peek(slot(1, 'bob'))).allowed], [true, false]);
    assert.equal(await settle('one', slot(0, 'bob')), true);
  }),

  storeCase('a denied reservation reserves nothing', async ({ reserve, settle, peek }) => {
    const some = asker({ name: 'some' });
    const slot = asker({ name: 'slot', unit: 'concurrency', limit: 1 });
    assert.equal((await reserve('one', some(11), slot(1))).allowed, false);
    assert.equal(await settle('one', some(0), slot(0)), false);
    assert.deepEqual(
      (await peek(some(0), slot(0))).findings.map(({ remaining }) => remaining),
      [10, 1],
    );
  }),

  storeCase('a shadow rule that denied is not settled', async ({ reserve, settle, peek }) => {
    const shadow = asker({ name: 'shadow', limit: 2, mode: 'shadow' });
    const real = asker({ name: 'real' });
    await reserve('one', shadow(3), real(3));
    assert.equal(await settle('one', shadow(5), real(5)), true);
    assert.deepEqual(
      (await peek(shadow(0), real(0))).findings.map(({ remaining }) => remaining),
      [2, 5],
    );
  }),

  storeCase('reserving nothing of a rule still lets what was used be charged', async ({ reserve, settle, peek }) => {
    const ask = asker();
    await reserve('one', ask(0));
    assert.equal(await settle('one', ask(4)), true);
    assert.equal((await peek(ask(0))).findings[0]?.remaining, 6);
  }),

  storeCase('slots are leases: as many as the limit, back when settled or over', async ({ reserve, settle, pass }) => {
    const slot = asker({ unit: 'concurrency', limit: 2 });
    assert.equal((await reserve('one', slot(1))).findings[0]?.remaining, 1);
    await pass(1_000);
    assert.equal((await reserve('two', slot(1))).allowed, true);
    assert.equal((await reserve('three', slot(1))).allowed, false);
    assert.equal(await settle('two', slot(0)), true);
    assert.equal((await reserve('three', slot(1))).allowed, true);
    await pass(ttlUs - 1_001);
    assert.equal((await reserve('four', slot(1))).allowed, false);
    await pass(1);
    assert.equal((await reserve('four', slot(1))).allowed, true);
    assert.equal(await settle('one', slot(0)), false);
    assert.equal((await reserve('five', slot(1))).allowed, false);
  }),

  storeCase('an extended lease lasts longer, one that is over cannot be extended', async ({ store, reserve, pass }) => {
    const slot = asker({ name: 'slot', unit: 'concurrency', limit: 1 });
    const some = asker({ name: 'some' });
    const extend = async (id: string) => store.extend({ id: idOf(id), asks: [slot(1), some(1)], ttlUs });
    await reserve('one', slot(1), some(1));
    await pass(ttlUs - 1);
    assert.equal(await extend('one'), true);
    await pass(ttlUs - 1);
    assert.equal((await reserve('two', slot(1))).allowed, false);
    await pass(1);
    assert.equal(await extend('one'), false);
    assert.equal(await extend('never'), false);
    assert.equal((await reserve('two', slot(1))).allowed, true);
  }),

  storeCase('a reservation that is over stays charged', async ({ reserve, settle, peek, pass }) => {
    const ask = asker({ per: 'hour', strategy: 'fixed-window' });
    await reserve('one', ask(4));
    await pass(ttlUs);
    assert.equal(await settle('one', ask(0)), false);
    assert.equal((await peek(ask(0))).findings[0]?.remaining, 6);
  }),

  storeCase('or comes back, where the rule says so', async ({ reserve, settle, peek, pass }) => {
    for (const [name, fields] of kinds) {
      const ask = asker({ per: 'day', ...fields, name, onExpiry: 'return' });
      await reserve(name, ask(4));
      await pass(ttlUs - 1);
      assert.notEqual((await peek(ask(0))).findings[0]?.remaining, ask.rule.limit, name);
      await pass(1);
      assert.equal((await peek(ask(ask.rule.limit))).allowed, true, name);
      assert.equal(await settle(name, ask(0)), false, name);
    }
  }),

  storeCase('a charge adds to a reservation, all or nothing', async ({ store, reserve, settle, peek }) => {
    for (const [name, fields] of kinds) {
      const ask = asker({ ...fields, name });
      const other = asker({ name: `${name}-other`, limit: 6 });
      const charge = async (cost: number) =>
        store.decide({ kind: 'charge', id: idOf(name), asks: [ask(cost), other(cost)] });
      await reserve(name, ask(3), other(3));
      assert.equal((await charge(2)).allowed, true, name);
      const denied = await charge(2);
      assert.deepEqual([denied.allowed, denied.gone], [false, undefined], name);
      assert.equal((await peek(ask(0))).findings[0]?.remaining, ask.rule.limit - 5, name);
      await settle(name, ask(4), other(4));
      assert.deepEqual(
        (await peek(ask(0), other(0))).findings.map(({ remaining }) => remaining),
        [ask.rule.limit - 4, 2],
        name,
      );
    }
  }),

  storeCase(
    'a charge later on makes final what was reserved before',
    async ({ store, reserve, settle, peek, pass }) => {
      const ask = asker({ strategy: 'sliding-window' });
      await reserve('one', ask(3));
      await pass(1_000);
      await store.decide({ kind: 'charge', id: idOf('one'), asks: [ask(4)] });
      await settle('one', ask(1));
      assert.equal((await peek(ask(0))).findings[0]?.remaining, 7);
    },
  ),

  storeCase('nothing is charged to a reservation that is over', async ({ store, reserve, peek, pass }) => {
    const ask = asker({ strategy: 'fixed-window', per: 'hour' });
    const charge = async () => store.decide({ kind: 'charge', id: idOf('one'), asks: [ask(1)] });
    assert.deepEqual([(await charge()).allowed, (await charge()).gone], [false, true]);
    await reserve('one', ask(1));
    await pass(ttlUs);
    assert.deepEqual([(await charge()).allowed, (await charge()).gone], [false, true]);
    assert.equal((await peek(ask(0))).findings[0]?.remaining, 9);
  }),

  storeCase('a bucket gives back what has not drained, and no more', async ({ reserve, settle, peek, pass }) => {
    const ask = asker();
    await reserve('one', ask(10));
    await pass(30_000_000 - 1);
    await settle('one', ask(0));
    assert.equal((await peek(ask(0))).findings[0]?.remaining, 10);
    await reserve('two', ask(10));
    await pass(12_000_000);
    await settle('two', ask(5));
    assert.equal((await peek(ask(0))).findings[0]?.remaining, 5);
  }),

  storeCase('a queue tells each reservation when to go, and is bounded', async ({ store, peek }) => {
    const ask = asker({ strategy: 'leaky-bucket', limit: 60, maxQueue: 2 });
    const reserve = async (id: string, maxWaitUs: number) =>
      store.decide({ kind: 'reserve', id: idOf(id), asks: [ask(1)], ttlUs, maxWaitUs });
    assert.equal((await reserve('one', 0)).delayUs, 0);
    assert.equal((await reserve('two', 0)).allowed, false);
    assert.equal((await reserve('two', 1_000_000)).delayUs, 1_000_000);
    assert.equal((await reserve('three', 5_000_000)).delayUs, 2_000_000);
    const full = await reserve('four', 5_000_000);
    assert.deepEqual([full.allowed, full.findings[0]?.retryAfterUs], [false, 1_000_000]);
    await store.settle({ id: idOf('three'), asks: [ask(0)] });
    assert.equal((await reserve('four', 5_000_000)).delayUs, 2_000_000);
    await store.settle({ id: idOf('two'), asks: [ask(0)] });
    assert.equal((await reserve('five', 5_000_000)).allowed, false);
    assert.equal((await peek(ask(1))).allowed, false);
  }),

  storeCase('a reservation that is repeated waits for the same departure', async ({ store, pass }) => {
    const ask = asker({ strategy: 'leaky-bucket', limit: 60, maxQueue: 3 });
    const free = asker({ name: 'free', strategy: 'leaky-bucket', limit: 60, maxQueue: 3 });
    const reserve = async (id: string) =>
      store.decide({ kind: 'reserve', id: idOf(id), asks: [ask(1), free(0)], ttlUs, maxWaitUs: 5_000_000 });
    for (const id of ['one', 'two', 'three']) await reserve(id);
    await pass(400_000);
    const left = [];
    for (const id of ['one', 'two', 'three']) left.push((await reserve(id)).delayUs);
    assert.deepEqual(left, [0, 600_000, 1_600_000]);
    await pass(600_000);
    const again = await reserve('two');
    assert.deepEqual([again.repeated, again.delayUs], [true, 0]);
    await store.settle({ id: idOf('two'), asks: [ask(1), free(0)] });
    assert.equal((await reserve('three')).delayUs, 1_000_000);
  }),

  storeCase('a reservation that waits in a queue begins with its departure', async ({ store, pass }) => {
    const ask = asker({ strategy: 'leaky-bucket', limit: 2, maxQueue: 2 });
    const reserve = async (id: string) =>
      store.decide({ kind: 'reserve', id: idOf(id), asks: [ask(1)], ttlUs, maxWaitUs: 60_000_000 });
    await reserve('one');
    assert.equal((await reserve('two')).delayUs, 30_000_000);
    await pass(30_000_000 + ttlUs - 1);
    assert.equal((await store.settle({ id: idOf('two'), asks: [ask(1)] })).settled, true);
  }),

  storeCase('a reset forgets reservations and leaves slots', async ({ store, reserve, settle, peek }) => {
    const some = asker({ name: 'some' });
    const slot = asker({ name: 'slot', unit: 'concurrency', limit: 1 });
    await reserve('one', some(5), slot(1));
    await store.reset([some(0), slot(0)]);
    assert.deepEqual(
      (await peek(some(0), slot(1))).findings.map(({ remaining }) => remaining),
      [10, 0],
    );
    assert.equal(await settle('one', some(9), slot(0)), true);
    assert.deepEqual(
      (await peek(some(0), slot(1))).findings.map(({ remaining }) => remaining),
      [10, 1],
    );
  }),

  storeCase('a name is free again when its reservation is over, however many others are', async (bench) => {
    const { reserve, settle, peek, pass } = bench;
    const slot = asker({ unit: 'concurrency', limit: 1_200 });
    await Promise.all(Array.from({ length: 1_200 }, (_, n) => reserve(`id${n}`, slot(1))));
    await pass(ttlUs);
    assert.equal((await reserve('id999', slot(1))).repeated, undefined);
    assert.equal(await settle('id999', slot(0)), true);
    // A store may take out what is over in several steps.
    for (let look = 0; look < 3; look++) await peek(slot(0));
    assert.equal((await peek(slot(0))).findings[0]?.remaining, 1_200);
  }),

  storeCase('reservations that come together never exceed the limit', async ({ reserve }) => {
    const slot = asker({ name: 'slot', unit: 'concurrency', limit: 7 });
    const some = asker({ name: 'some', limit: 50 });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => reserve(`id${n}`, slot(1), some(3))));
    assert.equal(answers.filter(({ allowed }) => allowed).length, 7);
  }),
];
