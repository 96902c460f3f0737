import { strict as assert } from 'node:assert';
import type { CompiledRule } from '../compile.ts';
import type { Rule } from '../rule.ts';
import type { Ask } from '../stores/store.ts';
import { slotRetryUs } from '../strategies/slots.ts';
import { asker, type Bench, idOf, startUs, storeCase, type StoreCase, ttlUs } from './subject.ts';

const kinds: readonly (readonly [string, Partial<Rule>])[] = [
  ['a token bucket', {}],
  ['a strict token bucket', { strict: true, burst: 5 }],
  ['a leaky bucket', { strategy: 'leaky-bucket', burst: 3 }],
  ['a fixed window', { strategy: 'fixed-window' }],
  ['an anchored window', { strategy: 'fixed-window', anchored: true }],
  ['a window of a calendar', { per: 'calendar-day', timeZone: 'Asia/Kolkata' }],
  ['a log', { strategy: 'sliding-window' }],
  ['a sliding window', { strategy: 'sliding-window', limit: 1_000 }],
];

/** Every decision: verdicts, waits, and that a denial writes nothing. */
export const decisionCases: readonly StoreCase[] = [
  ...kinds.map(([kind, fields]) =>
    storeCase(`${kind} admits its limit, and again after the wait it tells, and not a microsecond earlier`, (bench) =>
      admitsItsLimit(bench, fields),
    ),
  ),
  ...kinds.map(([kind, fields]) =>
    storeCase(`${kind}: a denial and a look write nothing`, (bench) => deniesWithoutTrace(bench, fields)),
  ),

  storeCase('several rules are charged together or not at all', async ({ consume, peek }) => {
    const many = asker({ name: 'many', limit: 10 });
    const few = asker({ name: 'few', limit: 2, strategy: 'fixed-window' });
    const answers = [await consume(many(1), few(1)), await consume(many(1), few(1)), await consume(many(1), few(1))];
    assert.deepEqual(
      answers.map(({ allowed }) => allowed),
      [true, true, false],
    );
    assert.deepEqual(remainingOf(await peek(many(1), few(1))), [8, 0]);
    assert.deepEqual(
      answers[2]?.findings.map(({ allowed }) => allowed),
      [true, false],
    );
  }),

  storeCase('keys and rules do not see each other', async ({ consume }) => {
    const one = asker({ name: 'one', limit: 1 });
    const two = asker({ name: 'two', limit: 1 });
    assert.equal((await consume(one(1, 'ada'))).allowed, true);
    assert.equal((await consume(one(1, 'bob'))).allowed, true);
    assert.equal((await consume(two(1, 'ada'))).allowed, true);
    assert.equal((await consume(one(1, 'ada'))).allowed, false);
  }),

  storeCase('findings come in the order of the asks', async ({ consume }) => {
    const asks = ['c', 'a', 'b'].map((name, index) => asker({ name, limit: index + 1 })(1));
    const { findings } = await consume(...asks);
    assert.deepEqual(
      findings.map(({ rule, key, cost }) => [rule.name, key, cost]),
      asks.map(({ rule, key, cost }) => [rule.name, key, cost]),
    );
  }),

  storeCase('a shadow rule that denies stops nothing and is not charged', async ({ consume, peek }) => {
    const shadow = asker({ name: 'shadow', limit: 1, mode: 'shadow' });
    const real = asker({ name: 'real', limit: 5 });
    await consume(shadow(1), real(1));
    const answer = await consume(shadow(1), real(1));
    assert.equal(answer.allowed, true);
    assert.equal(answer.findings[0]?.allowed, false);
    assert.deepEqual(remainingOf(await peek(shadow(0), real(0))), [0, 3]);
    await consume(shadow(1), real(9));
    assert.deepEqual(remainingOf(await peek(shadow(0), real(0))), [0, 3]);
  }),

  storeCase(
    'force charges what does not fit, and the rest waits until it is paid',
    async ({ store, consume, peek, pass }) => {
      const bucket = asker({ name: 'bucket' });
      const window = asker({ name: 'window', strategy: 'sliding-window', limit: 1_000 });
      const answer = await store.decide({ kind: 'consume', asks: [bucket(25), window(1_500)], force: true });
      assert.equal(answer.allowed, true);
      assert.deepEqual(
        answer.findings.map(({ allowed }) => allowed),
        [false, false],
      );
      assert.deepEqual(remainingOf(await peek(bucket(1), window(1))), [0, 0]);
      await pass(90_000_000 + 6_000_000 - 1);
      assert.equal((await consume(bucket(1))).allowed, false);
      await pass(1);
      assert.equal((await consume(bucket(1))).allowed, true);
      assert.equal((await consume(window(1_000))).allowed, true);
    },
  ),

  storeCase('a cost of nothing is allowed where nothing is left', async ({ consume }) => {
    for (const [name, fields] of kinds) {
      const ask = asker({ ...fields, name: name.replaceAll(' ', '_') });
      for (const cost of [200, 40, 8, 1]) while ((await consume(ask(cost))).allowed);
      assert.equal((await consume(ask(0))).allowed, true, name);
    }
  }),

  storeCase('a cost that never fits is told no wait', async ({ consume }) => {
    for (const [name, fields] of kinds) {
      const ask = asker({ ...fields, name: name.replaceAll(' ', '_') });
      const { allowed, findings } = await consume(ask(1_001));
      assert.deepEqual([allowed, findings[0]?.retryAfterUs], [false, undefined], name);
    }
  }),

  storeCase('numbers up to 2^53 - 1 do no harm', async ({ store, consume, pass }) => {
    for (const [name, fields] of kinds) {
      const ask = asker({ ...fields, name: name.replaceAll(' ', '_') });
      await store.decide({ kind: 'consume', asks: [ask(Number.MAX_SAFE_INTEGER)], force: true });
      await store.decide({ kind: 'consume', asks: [ask(Number.MAX_SAFE_INTEGER)], force: true });
      assert.equal((await consume(ask(1))).allowed, false, name);
    }
    await pass(100 * 86_400_000_000);
    assert.equal((await consume(asker({ strategy: 'fixed-window', name: 'a_fixed_window' })(1))).allowed, true);
  }),

  storeCase('consuming asks whether a slot is free, and takes none', async ({ consume, reserve }) => {
    const slot = asker({ unit: 'concurrency', limit: 1 });
    assert.equal((await consume(slot(1))).allowed, true);
    assert.equal((await reserve('one', slot(1))).allowed, true);
    const { allowed, findings } = await consume(slot(1));
    assert.deepEqual([allowed, findings[0]?.retryAfterUs, findings[0]?.remaining], [false, slotRetryUs, 0]);
  }),

  storeCase('lowering leaves at most so much, and twice is as once', async ({ store, peek }) => {
    for (const [name, fields] of kinds) {
      const ask = asker({ ...fields, name: name.replaceAll(' ', '_') });
      for (const left of [2, 2, 3]) {
        const { allowed } = await store.decide({ kind: 'lower', asks: [ask(left)] });
        assert.equal(allowed, true);
        assert.deepEqual(remainingOf(await peek(ask(0))), [2], name);
      }
    }
  }),

  storeCase(
    'a limit that is changed keeps what was used, and admits the rest of the new one',
    async ({ consume, peek }) => {
      for (const [name, fields] of kinds.filter(([, { strict }]) => strict !== true)) {
        const before = asker({ ...fields, name: name.replaceAll(' ', '_') });
        const burst = fields.burst === undefined ? {} : { burst: 15 };
        const after = asker({ ...fields, name: before.rule.name, limit: (fields.limit ?? 10) * 3, ...burst });
        assert.equal(after.rule.id, before.rule.id);
        await consume(before(2));
        const most = after.rule.burst;
        assert.deepEqual(remainingOf(await peek(after(0))), [most - 2], name);
        assert.deepEqual(remainingOf(await consume(after(1))), [most - 3], name);
        assert.deepEqual(remainingOf(await consume(before(0))), [before.rule.burst - 3], name);
        assert.equal((await consume(after(most - 3))).allowed, true, name);
        assert.equal((await consume(after(1))).allowed, false, name);
      }
    },
  ),

  storeCase('a calendar of a clock that is days behind goes on in days as long as its last', async (bench) => {
    for (const days of [1, 2, 3, 40]) {
      const ask = asker({ per: 'calendar-day', name: `by${days}` });
      const behind = (cost: number): Ask => ({ ...ask(cost), rule: behindBy(days, ask.rule) });
      assert.equal((await bench.reserve('one', behind(4))).allowed, true);
      assert.equal((await bench.consume(behind(6))).allowed, true);
      assert.equal((await bench.consume(behind(1))).allowed, false);
      const { remaining, resetAfterUs } = (await bench.peek(ask(0))).findings[0] ?? {};
      assert.deepEqual([remaining, resetAfterUs], [0, Date.UTC(2025, 0, 2) * 1_000 - startUs], `${days} days`);
    }
  }),

  storeCase('a bucket drains while processes go by two limits of it', async ({ store, pass, peek }) => {
    const [before, after] = [600, 601].map((limit) => asker({ limit, unit: 'tokens' }));
    assert.ok(before !== undefined && after !== undefined);
    await store.decide({ kind: 'consume', asks: [before(600)], force: true });
    for (let n = 0; n < 40; n++) {
      await pass(25_000);
      const id = idOf(`id${n}`);
      const ask = n % 2 === 0 ? before : after;
      await store.decide({ kind: 'reserve', id, asks: [ask(n < 10 ? 0 : 1)], ttlUs, maxWaitUs: 0 });
      await store.settle({ id, asks: [(n % 4 < 2 ? before : after)(0)] });
    }
    await pass(50_000);
    assert.deepEqual([remainingOf(await peek(before(0))), remainingOf(await peek(after(0)))], [[10], [11]]);
  }),

  storeCase('a reset makes a key whole and leaves the others', async ({ store, consume, peek }) => {
    for (const [name, fields] of kinds) {
      const ask = asker({ ...fields, name: name.replaceAll(' ', '_') });
      const [whole] = remainingOf(await peek(ask(0)));
      await consume(ask(1, 'ada'));
      await consume(ask(1, 'bob'));
      await store.reset([ask(0, 'ada')]);
      assert.deepEqual(remainingOf(await peek(ask(0, 'ada'))), [whole], name);
      assert.notDeepEqual(remainingOf(await peek(ask(0, 'bob'))), [whole], name);
    }
  }),

  storeCase('a snapshot shows who is not whole', async ({ store, consume, pass }) => {
    const bucket = asker({ name: 'bucket' });
    const window = asker({ name: 'window', strategy: 'sliding-window' });
    await consume(bucket(3), window(4));
    await consume(bucket(1, 'bob'));
    const rows = await store.snapshot([bucket.rule, window.rule], 10);
    assert.deepEqual(
      rows.map(({ rule, key, remaining, resetAfterUs }) => `${rule.name} ${key} ${remaining} ${resetAfterUs}`).sort(),
      [
        `bucket ${bucket(0).key} 7 18000000`,
        `bucket ${bucket(0, 'bob').key} 9 6000000`,
        `window ${window(0).key} 6 60000000`,
      ],
    );
    assert.equal((await store.snapshot([bucket.rule, window.rule], 2)).length, 2);
    assert.deepEqual(
      await store.snapshot([window.rule], 10),
      rows.filter(({ rule }) => rule.name === 'window'),
    );
    await pass(60_000_000);
    assert.deepEqual(await store.snapshot([bucket.rule, window.rule], 10), []);
  }),

  storeCase('calls that come together are decided one after the other', async ({ consume }) => {
    const one = asker({ name: 'one', limit: 20 });
    const two = asker({ name: 'two', limit: 30, strategy: 'sliding-window' });
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? consume(one(1), two(1)) : consume(two(1), one(1)))),
    );
    assert.equal(answers.filter(({ allowed }) => allowed).length, 20);
  }),
];

async function admitsItsLimit({ consume, pass }: Bench, fields: Partial<Rule>): Promise<void> {
  const ask = asker(fields);
  const { strategy } = ask.rule;
  const most = strategy.kind === 'bucket' ? strategy.burst : strategy.limit;
  const first = await consume(ask(most - 1));
  assert.equal(first.allowed, true);
  assert.equal(first.findings[0]?.remaining, 1);
  assert.equal((await consume(ask(2))).allowed, false);
  assert.equal((await consume(ask(1))).allowed, true);
  const { retryAfterUs = 0, remaining } = (await consume(ask(1))).findings[0] ?? {};
  assert.equal(remaining, 0);
  await pass(retryAfterUs - 1);
  const early = await consume(ask(1));
  assert.equal(early.allowed, false);
  assert.equal(early.findings[0]?.retryAfterUs, 1);
  await pass(1);
  assert.equal((await consume(ask(1))).allowed, true);
}

async function deniesWithoutTrace({ consume, peek, pass }: Bench, fields: Partial<Rule>): Promise<void> {
  const ask = asker(fields);
  await consume(ask(1));
  await pass(7);
  await consume(ask(1));
  await pass(11);
  const before = await peek(ask(2));
  for (let n = 0; n < 3; n++) assert.equal((await consume(ask(1_001))).allowed, false);
  assert.deepEqual(await peek(ask(2)), before);
}

/** The rule of a process whose clock is behind. */
function behindBy(days: number, rule: CompiledRule): CompiledRule {
  const { strategy } = rule;
  if (strategy.kind !== 'window' || strategy.calendar === undefined) throw new TypeError('The rule has no calendar.');
  const { calendar } = strategy;
  const boundariesAround = (nowMs: number): readonly number[] => calendar.boundariesAround(nowMs - days * 86_400_000);
  return { ...rule, strategy: { ...strategy, calendar: { boundariesAround } } };
}

function remainingOf({ findings }: { findings: readonly { remaining: number }[] }): number[] {
  return findings.map(({ remaining }) => remaining);
}
