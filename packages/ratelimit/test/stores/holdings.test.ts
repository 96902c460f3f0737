import { expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import * as fc from 'fast-check';
import { RuleBook } from '../../src/rule-book.ts';
import type { Rule } from '../../src/rule.ts';
import { createMemoryStore } from '../../src/stores/memory.ts';
import type { Answer } from '../../src/stores/store.ts';

const rules: readonly Rule[] = [
  { name: 'bucket', scope: 'user', unit: 'tokens', limit: 20, per: 'second', onExpiry: 'return' },
  { name: 'window', scope: 'user', unit: 'tokens', limit: 30, per: 'second', strategy: 'fixed-window' },
  { name: 'sliding', scope: 'global', unit: 'cost', limit: 40, per: 'second' },
  { name: 'slots', scope: 'user', unit: 'concurrency', limit: 3 },
  { name: 'watched', scope: 'global', unit: 'tokens', limit: 10, per: 'second', mode: 'shadow' },
];
const step = fc.record({
  kind: fc.constantFrom('reserve', 'reserve', 'settle', 'settle', 'charge', 'extend', 'close'),
  user: fc.constantFrom('ada', 'bob'),
  nth: fc.nat(5),
  cost: fc.nat(15),
  ttlUs: fc.constantFrom(1_000, 200_000, 2_000_000),
  advanceMs: fc.constantFrom(0, 0, 1, 150, 1_000),
});

test('RL23: a reservation that is known by its holding fares as one that is known by its id', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const named = createSide(false);
      const own = createSide(true);
      for (const each of steps) expect(own(each)).toEqual(named(each));
    }),
  );
});

/** A store, and what it answers to each step. */
function createSide(isOwn: boolean) {
  const clock = createFakeClock();
  const store = createMemoryStore({ maxKeys: 10, clock });
  const book = new RuleBook(rules);
  const made: { readonly user: string; readonly id: string; readonly holding: object | undefined }[] = [];
  const told = ({ holding: _, ...rest }: Answer) => rest;
  return ({ kind, user, nth, cost, ttlUs, advanceMs }: StepOf<typeof step>): unknown => {
    clock.advance(advanceMs);
    const one = made[nth];
    const asks = book.asksOf({ user: one === undefined || kind === 'reserve' ? user : one.user }, undefined, (rule) =>
      rule.unit === 'concurrency' ? 1 : cost,
    );
    if (kind === 'close' && nth === 0) store.close();
    if (kind === 'reserve') {
      const id = isOwn ? '' : `id ${made.length}`;
      const answer = store.decide({ kind, asks, id, isOwn, ttlUs, maxWaitUs: 0 });
      expect(answer.holding !== undefined).toBe(isOwn && answer.allowed);
      if (answer.allowed) made.push({ user, id, holding: answer.holding });
      return [told(answer), store.counts()];
    }
    if (one === undefined) return undefined;
    const { id, holding } = one;
    if (kind === 'settle') return [store.settle({ id, holding, asks }), store.counts()];
    if (kind === 'extend') return store.extend({ id, holding, asks, ttlUs });
    if (kind !== 'charge') return undefined;
    const more = asks.filter(({ rule }) => rule.unit !== 'concurrency');
    return told(store.decide({ kind, id, holding, asks: more }));
  };
}

type StepOf<A> = A extends fc.Arbitrary<infer T> ? T : never;
