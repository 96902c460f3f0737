import { expect, test } from '@jest/globals';
import { current, observe, run } from '@sage-adk/core';
import { wheelOf } from '@sage-adk/core/deadline';
import type { Rule } from '../src/index.ts';
import { createLimiter } from './support/limiters.ts';

const slots: Rule = { name: 'slots', scope: 'user', unit: 'concurrency', limit: 100 };
const ada = { user: 'ada' };

test('the leases of a limiter beat on one timer, which is gone with the last of them', async () => {
  const { limiter, clock } = createLimiter(slots);
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
