import { describe, expect, test } from '@jest/globals';
import { current, observe, run } from '@sage-adk/core';
import { wheelOf } from '@sage-adk/core/deadline';
import { recordOperations } from '@sage-adk/core/testing';
import { ada, createLimiter, leftOf, slots, tokens } from './support/limiters.ts';
import { granted, refused } from './support/outcomes.ts';

describe('a lease', () => {
  test('RL3: at most so many at once for each user, back when settled', async () => {
    const { limiter } = createLimiter(slots);
    const [one] = [granted(await limiter.reserve(ada)), granted(await limiter.reserve(ada))];
    expect(refused(await limiter.reserve(ada))).toMatchObject({ rule: 'slots', remaining: 0, retryAfterMs: 1_000 });
    expect((await limiter.reserve({ user: 'bob' })).allowed).toBe(true);
    await one?.settle();
    expect((await limiter.reserve(ada)).allowed).toBe(true);
  });

  test('RL4: at most so many at once for all', async () => {
    const { limiter } = createLimiter({ ...slots, scope: 'global' });
    granted(await limiter.reserve(ada));
    granted(await limiter.reserve({ user: 'bob' }));
    expect((await limiter.reserve({ user: 'eve' })).allowed).toBe(false);
  });

  test('lasts as long as its holder lives, however long the call', async () => {
    const { limiter, clock } = createLimiter(slots);
    const held = [granted(await limiter.reserve(ada)), granted(await limiter.reserve(ada))];
    await clock.advanceAsync(600_000);
    expect((await limiter.reserve(ada)).allowed).toBe(false);
    expect(await held[0]?.settle()).toMatchObject({ settled: true });
  });

  test('ends after its longest time, whatever its holder does', async () => {
    using recorder = recordOperations();
    const { limiter, clock } = createLimiter({ ...slots, limit: 1 });
    const reservation = granted(await limiter.reserve(ada, undefined, { ttlMs: 30_000, maxHoldMs: 60_000 }));
    await clock.advanceAsync(100_000);
    expect((await limiter.reserve(ada)).allowed).toBe(true);
    expect(await reservation.settle()).toMatchObject({ settled: false });
    expect(await reservation.extend(1_000)).toBe(false);
    expect(recorder.emitted('lease.expired')).toEqual([{ rule: 'slots', held: 1 }]);
  });

  test('that was extended for longer lasts so long, past its heartbeats too', async () => {
    using recorder = recordOperations();
    const { limiter, clock } = createLimiter({ ...slots, limit: 1 });
    const reservation = granted(await limiter.reserve(ada));
    expect(await reservation.extend(7_200_000)).toBe(true);
    await clock.advanceAsync(7_199_000);
    expect((await limiter.reserve(ada)).allowed).toBe(false);
    expect(recorder.emitted('lease.expired')).toEqual([]);
    await clock.advanceAsync(2_000);
    expect(recorder.emitted('lease.expired')).toEqual([{ rule: 'slots', held: 1 }]);
    expect((await limiter.reserve(ada)).allowed).toBe(true);
  });

  test.each([Number.NaN, 0, Number.POSITIVE_INFINITY])('is not extended by %p', async (ttlMs) => {
    const { limiter, clock } = createLimiter({ ...slots, limit: 1 });
    const reservation = granted(await limiter.reserve(ada, {}, { ttlMs: 1_000, maxHoldMs: 1_000 }));
    await expect(reservation.extend(ttlMs)).rejects.toThrow('ttlMs');
    await clock.advanceAsync(2_000);
    expect((await limiter.reserve(ada)).allowed).toBe(true);
  });

  test.each(['reset', 'settled by another handle'])('that was %s ends in silence', async (end) => {
    using recorder = recordOperations();
    const { limiter, clock } = createLimiter(tokens);
    const [one, other] = [1, 2].map(() => limiter.reserve(ada, { tokens: 10 }, { idempotencyKey: 'k' }));
    const kept = await one;
    await (end === 'reset' ? limiter.reset(ada) : granted((await other) ?? (await limiter.reserve(ada))).settle());
    await clock.advanceAsync(100_000);
    expect(recorder.emitted('lease.expired')).toEqual([]);
    expect(kept?.allowed).toBe(true);
  });

  test('comes back within its time when its holder is thrown away', async () => {
    const { limiter, clock } = createLimiter({ ...slots, limit: 1 });
    await (async () => void (await limiter.reserve(ada)))();
    await clock.advanceAsync(5_000);
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
    await clock.advanceAsync(25_000);
    expect((await limiter.reserve(ada)).allowed).toBe(true);
  });

  test.each([
    ['stays charged', {}, 700],
    ['comes back where the rule says so', { onExpiry: 'return' } as const, 1_000],
  ])('what nobody settled in time %s', async (_name, fields, left) => {
    const { limiter, clock } = createLimiter({ ...tokens, per: 'hour', ...fields });
    await limiter.reserve(ada, { tokens: 300 }, { ttlMs: 1_000, maxHoldMs: 1_000 });
    await clock.advanceAsync(5_000);
    expect(await leftOf(limiter)).toBe(left);
  });

  test('what it used is charged even when its time is over', async () => {
    const { limiter, clock } = createLimiter({ ...tokens, per: 'hour' });
    const reservation = granted(await limiter.reserve(ada, { tokens: 300 }, { ttlMs: 1_000, maxHoldMs: 1_000 }));
    await clock.advanceAsync(5_000);
    expect(await reservation.settle({ tokens: 500 })).toMatchObject({ settled: false });
    expect(await leftOf(limiter)).toBe(500);
  });
});

test('the leases of a limiter beat on one timer, which is gone with the last of them', async () => {
  const { limiter, clock } = createLimiter({ ...slots, limit: 100 });
  const reserve = (_: unknown, n: number) => limiter.reserve(ada, {}, { ttlMs: 30_000 - n });
  const held = await Promise.all(Array.from({ length: 50 }, reserve));
  expect(clock.pending).toBe(1);
  await clock.advanceAsync(100_000);
  expect((await limiter.peek(ada)).remaining).toBe(50);
  for (const each of held) if (each.allowed) await each.settle();
  expect([wheelOf(clock).size, clock.pending]).toEqual([0, 0]);
});

test('a lease is lost in the context of the call that made it, whoever set the timer', async () => {
  const lost: unknown[] = [];
  using _watching = observe({
    name: 'watching',
    event: (name) => (name === 'lease.expired' ? () => void lost.push(current()?.requestId) : undefined),
  });
  const { limiter, clock } = createLimiter(slots);
  const times = { ttlMs: 3_000, maxHoldMs: 3_000 };
  const held = await Promise.all(
    ['one', 'two'].map((requestId) => run({ requestId }, () => limiter.reserve(ada, {}, times))),
  );
  await clock.advanceAsync(10_000);
  expect(lost).toEqual(['one', 'two']);
  for (const each of held) if (each.allowed) expect(await each.settle()).toMatchObject({ settled: false });
});
