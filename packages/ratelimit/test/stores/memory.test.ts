import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createFakeClock } from '@sage-adk/core/testing';
import { RuleBook } from '../../src/rule-book.ts';
import type { Rule } from '../../src/rule.ts';
import { createMemoryStore } from '../../src/stores/memory.ts';
import type { Ask } from '../../src/stores/store.ts';

const user: Rule = { name: 'user', scope: 'user', limit: 2, per: 'second' };
const hourly: Rule = { name: 'user-hourly', scope: 'user', limit: 5, per: 'hour' };
const everyone: Rule = { name: 'everyone', scope: 'global', limit: 4, per: 'second' };
const sliding: Rule = { name: 'user-sliding', scope: 'user', limit: 6, per: 'second', strategy: 'sliding-window' };
const fixed: Rule = { name: 'user-fixed', scope: 'user', limit: 8, per: 'second', strategy: 'fixed-window' };

describe('the memory store', () => {
  test('RL16: keeps what each key spent', () => {
    const { spend } = createStore([user]);
    expect([spend('ada', 0), spend('ada', 0), spend('ada', 0), spend('bob', 0)]).toEqual([true, true, false, true]);
    expect(spend('ada', 500_000)).toBe(true);
  });

  test('a denial changes no byte: not the rule that denied, not those that would have allowed', () => {
    const call = fc.record({
      key: fc.constantFrom('ada', 'bob', 'eve'),
      gapUs: fc.constantFrom(0, 1, 100_000, 500_000, 2_000_000),
      cost: fc.integer({ min: 1, max: 6 }),
    });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), fc.constantFrom(1, 2, 100), (calls, maxKeys) => {
        const { store, spend } = createStore([user, hourly, sliding, everyone], maxKeys);
        spend('ada', 0, 0);
        let nowUs = 0;
        for (const { key, gapUs, cost } of calls) {
          nowUs += gapUs;
          const before = store.image();
          if (!spend(key, nowUs, cost)) expect(store.image()).toEqual(before);
        }
      }),
    );
  });

  test('each key is answered as by a store of its own, whichever was asked about before', () => {
    const step = fc.record({
      key: fc.constantFrom('ada', 'bob', 'eve'),
      gapUs: fc.constantFrom(0, 0, 1, 100_000, 400_000, 2_000_000),
      kind: fc.constantFrom('consume' as const, 'reserve' as const, 'settle' as const, 'reset' as const),
      cost: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(3, 100), (steps, maxKeys) => {
        const rules = [user, hourly, sliding, fixed];
        const shared = player(rules, maxKeys);
        const own = new Map(['ada', 'bob', 'eve'].map((key) => [key, player(rules, maxKeys)]));
        let nowUs = 0;
        for (const { key, gapUs, kind, cost } of steps) {
          nowUs += gapUs;
          expect(shared(key, nowUs, kind, cost)).toEqual(own.get(key)?.(key, nowUs, kind, cost));
        }
      }),
    );
  });

  test('looking changes no byte', () => {
    const { store, asksFor, spend } = createStore([user, everyone]);
    spend('bob', 0);
    const before = store.image();
    const { findings } = store.decide({ kind: 'peek', asks: asksFor('ada') });
    expect(findings.map(({ allowed }) => allowed)).toEqual([true, true]);
    expect(store.image()).toEqual(before);
  });

  test('RL27: holds at most maxKeys, whatever comes; further keys share one bucket', () => {
    const { store, spend, overflowed } = createStore([user], 100);
    for (let n = 0; n < 10_000; n++) spend(`flood-${n}`, 0);
    expect(store.counts()).toEqual({ keys: 100, reclaimed: 0, reservations: 0 });
    expect(overflowed('late', 0)).toBe(true);
    expect(spend('late', 0)).toBe(false);
  });

  test('RL27: a key that is being limited is never forgotten to make room for a flood', () => {
    const { spend } = createStore([user], 100);
    expect([spend('eve', 0), spend('eve', 0)]).toEqual([true, true]);
    let admitted = 0;
    for (let n = 0; n < 10_000; n++) {
      spend(`flood-${n}`, n);
      if (spend('eve', n)) admitted++;
    }
    expect(admitted).toBe(0);
  });

  test('RL27: a flood of 200,000 keys leaves room and quota of those who come back, and of one who is over the limit', () => {
    const { store, spend, overflowed } = createStore([user], 10_000);
    const regulars = Array.from({ length: 500 }, (_, index) => `regular-${index}`);
    const alone = createStore([user]);
    // They are whole again after a second: each of their calls finds them idle.
    let atUs = 0;
    for (let visit = 0; visit < 2; visit++, atUs += 2_000_000) {
      for (const regular of regulars) expect(spend(regular, atUs)).toBe(true);
    }
    const before = regulars.map((regular) => overflowed(regular, atUs));
    expect(before).not.toContain(true);
    for (let n = 0; n < 200_000; n++) {
      spend(`flood-${n}`, atUs + n * 50);
      if (n % 1_000 === 0) expect(spend('eve', atUs + n * 50)).toBe(alone.spend('eve', atUs + n * 50));
    }
    expect(store.counts()).toEqual({ keys: 10_000, reclaimed: expect.any(Number), reservations: 0 });
    const during = regulars.map((regular) => [
      overflowed(regular, atUs + 10_000_000),
      spend(regular, atUs + 10_000_000, 2),
    ]);
    expect(during).toEqual(regulars.map(() => [false, true]));
  });

  test('RL27: keys that come back hold half of the slots at most', () => {
    const { store, spend } = createStore([user], 100);
    for (let visit = 0; visit < 2; visit++) for (let n = 0; n < 100; n++) spend(`regular-${n}`, visit * 2_000_000);
    for (let n = 0; n < 400; n++) spend(`other-${n}`, 4_000_000 + n * 1_000);
    expect(store.counts()).toEqual({ keys: 100, reclaimed: 50, reservations: 0 });
  });

  test('an idle key makes room for a new one', () => {
    const { store, spend, overflowed } = createStore([user], 2);
    spend('ada', 0);
    spend('bob', 0);
    expect(overflowed('eve', 0)).toBe(true);
    expect(overflowed('eve', 500_000)).toBe(false);
    spend('eve', 500_000);
    expect(store.counts()).toEqual({ keys: 2, reclaimed: 1, reservations: 0 });
  });

  test('RL27: a key that shared a state gets no more than its limit when a place comes free', () => {
    const { spend, overflowed } = createStore([user, hourly, sliding, fixed], 1);
    spend('ada', 0);
    expect([spend('eve', 0), spend('eve', 0), spend('eve', 0)]).toEqual([true, true, false]);
    // Ada is idle, in the middle of an hour of which the shared state has used two.
    const hourUs = 3_600_000_000;
    const later = Array.from({ length: 5 }, (_, n) => spend('eve', hourUs / 5 + n * 500_000));
    expect(later).toEqual([true, true, true, true, false]);
    expect(overflowed('bob', hourUs * 3)).toBe(false);
  });

  test('RL27: who never shared a state starts anew, whatever others left in it', () => {
    const { spend, overflowed } = createStore([user, sliding, fixed], 2);
    for (const key of ['ada', 'bob']) spend(key, 0);
    expect([spend('eve', 400_000), spend('eve', 400_000), spend('eve', 400_000)]).toEqual([true, true, false]);
    expect([spend('eve', 1_000_000), spend('joe', 1_000_000, 2)]).toEqual([true, true]);
    expect(overflowed('eve', 1_000_000)).toBe(false);
  });

  test('RL27: whatever comes, no key gets more than a store of its own would admit', () => {
    const call = fc.record({
      key: fc.constantFrom('ada', 'bob', 'eve', 'joe'),
      gapUs: fc.constantFrom(0, 0, 1, 100_000, 500_000, 1_000_000, 3_000_000),
      cost: fc.integer({ min: 0, max: 3 }),
    });
    const kinds: readonly Rule[] = [user, { ...sliding, limit: 3 }, { ...fixed, limit: 3 }];
    const some = fc.subarray([...kinds], { minLength: 1 });
    fc.assert(
      fc.property(some, fc.array(call, { maxLength: 80 }), fc.integer({ min: 1, max: 3 }), (rules, calls, maxKeys) => {
        const shared = createStore(rules, maxKeys);
        const own = new Map(calls.map(({ key }) => [key, createStore(rules)]));
        let nowUs = 0;
        for (const { key, gapUs, cost } of calls) {
          nowUs += gapUs;
          const alone = own.get(key);
          // What it admitted has happened for the other as well: where that would have denied it, too much was admitted.
          if (shared.spend(key, nowUs, cost)) expect(alone?.spend(key, nowUs, cost)).toBe(true);
        }
      }),
    );
  });

  test('RL27: slots that are held in a shared state stay there, and nobody gets more of them beside it', () => {
    const { store, asksFor } = createStore([{ name: 'slots', scope: 'user', unit: 'concurrency', limit: 2 }], 1);
    const reserve = (key: string) =>
      store.decide({ kind: 'reserve', asks: asksFor(key), id: '', isOwn: true, ttlUs: 1_000_000, maxWaitUs: 0 });
    const settle = (key: string, { holding }: { readonly holding?: object }) =>
      store.settle({ id: '', holding, asks: asksFor(key, 0) });
    const ada = reserve('ada');
    const eve = [reserve('eve'), reserve('eve'), reserve('eve')];
    expect(eve.map(({ allowed }) => allowed)).toEqual([true, true, false]);
    settle('ada', ada);
    expect(reserve('eve')).toMatchObject({ allowed: false, source: 'overflow' });
    for (const each of eve.slice(0, 2)) settle('eve', each);
    expect([reserve('eve'), reserve('eve'), reserve('eve')].map(({ source, allowed }) => [source, allowed])).toEqual([
      ['store', true],
      ['store', true],
      ['store', false],
    ]);
  });

  test('forgetting idle keys changes no decision', () => {
    const call = fc.record({ key: fc.integer({ min: 0, max: 40 }), gapUs: fc.integer({ min: 0, max: 300_000 }) });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 300 }), (calls) => {
        // More than half of the slots come into use, so that idle ones are taken over.
        const together = createStore([user, hourly], 50);
        const alone = new Map<number, ReturnType<typeof createStore>>();
        let nowUs = 0;
        for (const { key, gapUs } of calls) {
          nowUs += gapUs;
          const own = alone.get(key) ?? createStore([user, hourly]);
          alone.set(key, own);
          expect(together.spend(`user-${key}`, nowUs)).toBe(own.spend('user', nowUs));
        }
      }),
    );
  });

  test('grows by doubling and keeps what it holds', () => {
    const { store, spend } = createStore([user], 1_000);
    for (let n = 0; n < 1_000; n++) spend(`user-${n}`, 0, 2);
    expect(store.counts().keys).toBe(1_000);
    for (let n = 0; n < 1_000; n++) expect(spend(`user-${n}`, 0)).toBe(false);
  });

  test('a reset makes a key whole and leaves the others', () => {
    const { store, spend, asksFor } = createStore([user, hourly]);
    spend('ada', 0, 2);
    spend('bob', 0, 2);
    store.reset(asksFor('ada'));
    const rules = asksFor('ada').map(({ rule }) => rule);
    expect(store.snapshot(rules, 10).map(({ key, rule }) => [key, rule.name])).toEqual([
      ['bob', 'user'],
      ['bob', 'user-hourly'],
    ]);
    expect([spend('ada', 0, 2), spend('bob', 0)]).toEqual([true, false]);
  });
});

/** Plays steps on a store. A settlement is about the key's oldest reservation that was not settled. */
function player(rules: readonly Rule[], maxKeys: number) {
  const { store, asksFor, goTo } = createStore(rules, maxKeys);
  const holdings = new Map<string, object[]>();
  return (key: string, nowUs: number, kind: 'consume' | 'reserve' | 'settle' | 'reset', cost: number): unknown => {
    goTo(nowUs);
    const asks = asksFor(key, cost);
    const held = holdings.get(key) ?? [];
    holdings.set(key, held);
    if (kind === 'reset') return store.reset(asks);
    if (kind === 'settle') return store.settle({ id: '', holding: held.shift() ?? { heapIndex: -1 }, asks });
    const order = { asks, id: '', isOwn: true, ttlUs: 1_000_000, maxWaitUs: 0 };
    const { allowed, findings, holding } = store.decide(kind === 'reserve' ? { ...order, kind } : { kind, asks });
    if (holding !== undefined) held.push(holding);
    return [allowed, findings.map((found) => [found.allowed, found.remaining, found.resetAfterUs, found.retryAfterUs])];
  };
}

function createStore(rules: readonly Rule[], maxKeys = 1_000) {
  const clock = createFakeClock();
  const book = new RuleBook(rules);
  const store = createMemoryStore({ maxKeys, clock });
  const startMs = clock.monotonicMs();
  // A sum of fractions may be a little beyond where the next one goes.
  const goTo = (us: number): void => clock.advance(Math.max(0, startMs + us / 1_000 - clock.monotonicMs()));
  const asksFor = (user: string, cost = 1): readonly Ask[] => book.asksOf({ user }, undefined, () => cost);
  /** Whether the cost was admitted. */
  const spend = (key: string, nowUs: number, cost = 1): boolean => {
    goTo(nowUs);
    return store.decide({ kind: 'consume', asks: asksFor(key, cost) }).allowed;
  };
  const overflowed = (key: string, nowUs: number): boolean => {
    goTo(nowUs);
    return store.decide({ kind: 'peek', asks: asksFor(key) }).source === 'overflow';
  };
  return { store, asksFor, goTo, spend, overflowed };
}
