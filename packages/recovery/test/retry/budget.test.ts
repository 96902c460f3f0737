import { describe, expect, test } from '@jest/globals';
import { sources } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import fc from 'fast-check';
import { createRetry, createRetryBudgets } from '../../src/index.ts';

const busy = Object.assign(new Error('busy'), { status: 503 });

describe('ER4: a retry budget', () => {
  test('gives a share of the calls and a floor, per dependency', () => {
    const clock = createFakeClock();
    const budgets = createRetryBudgets({ ratio: 0.2, windowMs: 10_000, minPerSecond: 0.5, clock });
    const budget = budgets.of('openai');
    for (let call = 0; call < 100; call++) budget.deposit();
    const given = Array.from({ length: 40 }, () => budget.tryWithdraw()).filter(Boolean).length;
    expect(given).toBe(20 + 5);
    expect(budgets.of('openai')).toBe(budget);
    expect(budgets.of('redis').tryWithdraw()).toBe(true);
    expect(budgets.snapshot()).toEqual([
      { dependency: 'openai', calls: 100, retries: 25, left: 0, refused: 15 },
      { dependency: 'redis', calls: 0, retries: 1, left: 4, refused: 0 },
    ]);
  });

  test('forgets what is older than its window, however long nothing happened', () => {
    const clock = createFakeClock();
    const budget = createRetryBudgets({ ratio: 0, windowMs: 10_000, minPerSecond: 0.1, clock }).of('a');
    expect(budget.tryWithdraw()).toBe(true);
    expect(budget.tryWithdraw()).toBe(false);
    clock.advance(3_600_000);
    expect(budget.tryWithdraw()).toBe(true);
    expect(budget.tryWithdraw()).toBe(false);
  });

  test('the hard cap holds beside the ratio', () => {
    const clock = createFakeClock();
    const budget = createRetryBudgets({ maxPerWindow: 3, clock }).of('a');
    for (let call = 0; call < 1_000; call++) budget.deposit();
    expect(Array.from({ length: 10 }, () => budget.tryWithdraw()).filter(Boolean)).toHaveLength(3);
  });

  test('never gives more in a window than the share of its calls and the floor', () => {
    const steps = fc.array(fc.tuple(fc.nat(400), fc.boolean()), { maxLength: 300 });
    fc.assert(
      fc.property(
        steps,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 3 }),
        (trace, ratio, floor) => {
          const clock = createFakeClock();
          const budget = createRetryBudgets({ ratio, windowMs: 1_000, minPerSecond: floor, clock }).of('a');
          const calls: number[] = [];
          const retries: number[] = [];
          for (const [waitMs, call] of trace) {
            clock.advance(waitMs);
            const nowMs = clock.monotonicMs();
            if (call) calls.push(nowMs);
            if (call) budget.deposit();
            else if (budget.tryWithdraw()) retries.push(nowMs);
            // A window covers its length less up to one bucket: of the shorter all retries count, of the full length at most all calls.
            const recent = retries.filter((at) => at > nowMs - 900).length;
            const counted = calls.filter((at) => at > nowMs - 1_000).length;
            if (!call && retries.at(-1) === nowMs) expect(recent).toBeLessThanOrEqual(ratio * counted + floor + 1e-6);
          }
        },
      ),
    );
  });

  test('slides on a clock whose origin lies ahead too', () => {
    for (const startMs of [-1_000_000, -3_000, 1_000_000]) {
      let nowMs = startMs;
      const clock = { ...createFakeClock(), monotonicMs: () => nowMs };
      const budget = createRetryBudgets({ clock, ratio: 0, minPerSecond: 1, windowMs: 10_000 }).of('openai');
      let taken = 0;
      for (let second = 0; second < 100; second++, nowMs += 1_000) if (budget.tryWithdraw()) taken++;
      expect(taken).toBe(100);
    }
  });

  test('is told to metrics until it is closed', () => {
    const budgets = createRetryBudgets({ clock: createFakeClock() });
    budgets.of('metered').tryWithdraw();
    const told = () => sources().find((one) => one.name === 'recovery.budget' && 'metered.left' in one.read());
    expect(told()?.read()).toEqual({ 'metered.retries': 1, 'metered.left': 9, 'metered.refused': 0 });
    budgets.close();
    expect(told()).toBeUndefined();
  });

  test('a refused retry gives the original error at once', async () => {
    const clock = createFakeClock();
    const budget = createRetryBudgets({ maxPerWindow: 0, clock });
    let tries = 0;
    const answer = createRetry({ budget, clock }).execute(() => {
      tries++;
      throw busy;
    });
    await expect(answer).rejects.toBe(busy);
    expect(tries).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('retries of one process share the budget of a dependency, without being told', async () => {
    const clock = createFakeClock();
    const shape = { clock, jitter: 'none', baseMs: 0, maxMs: 0, maxAttempts: 8 } as const;
    const triesOf = async (dependency: string): Promise<number> => {
      let tries = 0;
      const failed = createRetry(shape)
        .execute(() => Promise.reject((tries++, busy)), { dependency })
        .catch(() => tries);
      await clock.advanceAsync(10);
      return failed;
    };
    expect(await triesOf('openai')).toBe(8);
    expect(await triesOf('openai')).toBe(1 + 3);
    expect(await triesOf('anthropic')).toBe(8);
  });
});
