/** Settlements that a guard makes when the store is back, which may be after the time of their reservations. */
import { describe, expect, test } from '@jest/globals';
import { type Rule, usd } from '../../src/index.ts';
import { createGuarded, timed } from '../support/guarded.ts';
import { granted } from '../support/outcomes.ts';
import type { Trouble } from '../support/shared-store.ts';

const ada = { user: 'ada' };
const budget: Rule = { name: 'budget', scope: 'user', unit: 'cost', limit: usd(10), per: 'day' };
const dollars = (amount: number) => ({ costNanoUsd: BigInt(usd(amount)) });

describe('what was used beyond a reservation that was over before the store was back', () => {
  test('is charged all the same', async () => {
    const { after } = await reserved(1);
    expect(await after({ name: 'refused' }, { usedUsd: 4, awayMs: 40_000 })).toBe(4);
  });

  test('is charged where the settlement was never sent as well', async () => {
    const { limiter, shared, clock, after } = await reserved(1);
    shared.trouble = { name: 'stalled', carriesOut: false };
    for (let n = 0; n < 3; n++) await timed(clock, limiter.check(ada));
    expect(await after({ name: 'refused' }, { usedUsd: 4, awayMs: 40_000 })).toBe(4);
  });

  test.each<[string, number, Trouble]>([
    ['did not come in time', 2_000, { name: 'stalled', carriesOut: true }],
    ['did not come in time, for long', 40_000, { name: 'stalled', carriesOut: true }],
    ['was lost with the connection', 2_000, { name: 'cut' }],
    ['was lost with the connection, for long', 40_000, { name: 'cut' }],
  ])('is not charged again where the store had settled, and its answer %s', async (_name, awayMs, trouble) => {
    const { after } = await reserved(1);
    expect(await after(trouble, { usedUsd: 4, awayMs })).toBe(4);
  });

  test.each<[string, Trouble]>([
    ['refused', { name: 'refused', only: 'consume' }],
    ['not answered', { name: 'stalled', carriesOut: true, only: 'consume' }],
    ['carried out and its connection lost', { name: 'cut', only: 'consume' }],
  ])('is charged once where the charge is %s at first', async (_name, trouble) => {
    const { after, shared, clock, usedUsd } = await reserved(1);
    await after({ name: 'refused' }, { usedUsd: 4, awayMs: 40_000 }, trouble);
    shared.trouble = { name: 'none' };
    await clock.advanceAsync(2_000);
    expect(await usedUsd()).toBe(4);
  });

  test('is nothing where less was used: what was reserved stays charged', async () => {
    const { after } = await reserved(3);
    expect(await after({ name: 'refused' }, { usedUsd: 2, awayMs: 40_000 })).toBe(3);
  });
});

test('a reservation whose time is not over is settled when the store is back, with less as with more', async () => {
  for (const usedUsd of [2, 4]) {
    const { after } = await reserved(3);
    expect(await after({ name: 'refused' }, { usedUsd, awayMs: 10_000 })).toBe(usedUsd);
  }
});

interface Outage {
  /** What is settled when it begins. */
  readonly usedUsd: number;
  readonly awayMs: number;
}

/** A reservation of so many dollars, and how many are used of the budget after it was settled while its store was in trouble. */
async function reserved(reservedUsd: number) {
  const { limiter, shared, clock } = createGuarded([budget]);
  const reservation = granted(await limiter.reserve(ada, dollars(reservedUsd)));
  const usedUsd = async () => 10 - (await limiter.peek(ada)).remaining / usd(1);
  const after = async (trouble: Trouble, outage: Outage, then: Trouble = { name: 'none' }): Promise<number> => {
    shared.trouble = trouble;
    const [, settled] = await timed(clock, reservation.settle(dollars(outage.usedUsd)));
    expect(settled).toEqual({ settled: true, overspent: [] });
    await clock.advanceAsync(outage.awayMs);
    shared.trouble = then;
    await clock.advanceAsync(5_000);
    return usedUsd();
  };
  return { limiter, shared, clock, after, usedUsd };
}
