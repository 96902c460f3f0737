import { describe, expect, test } from '@jest/globals';
import type { Rule } from '../src/index.ts';
import { createLimiter, startMs } from './support/limiters.ts';
import { granted, refused } from './support/outcomes.ts';

const ada = { user: 'ada' };

describe('a queue of a leaky bucket', () => {
  const leaky: Rule = {
    name: 'leaky',
    scope: 'global',
    limit: 10,
    per: 'second',
    strategy: 'leaky-bucket',
    maxQueue: 3,
  };

  test('RL15: lets reservations go one after the other, in their order', async () => {
    const { limiter, clock } = createLimiter(leaky);
    const gone: [number, number][] = [];
    const waiting = [0, 1, 2].map(async (n) => {
      granted(await limiter.reserve(ada, undefined, { maxWaitMs: 1_000 }));
      gone.push([n, clock.now() - startMs]);
    });
    await clock.advanceAsync(1_000);
    await Promise.all(waiting);
    expect(gone).toEqual([
      [0, 0],
      [1, 100],
      [2, 200],
    ]);
  });

  test('lets a repeated call wait for the departure of the first', async () => {
    const { limiter, clock } = createLimiter(leaky);
    await limiter.reserve(ada);
    const gone: number[] = [];
    const waiting = [1, 2].map(async () => {
      await limiter.reserve(ada, undefined, { idempotencyKey: 'k', maxWaitMs: 1_000 });
      gone.push(clock.now() - startMs);
    });
    await clock.advanceAsync(1_000);
    await Promise.all(waiting);
    expect(gone).toEqual([100, 100]);
  });

  test('is not left by the first where a repeated call gives up', async () => {
    const { limiter, clock } = createLimiter(leaky);
    await limiter.reserve(ada);
    const options = { idempotencyKey: 'k', maxWaitMs: 1_000 };
    const first = limiter.reserve(ada, undefined, options);
    const giveUp = new AbortController();
    const again = expect(limiter.reserve(ada, undefined, { ...options, signal: giveUp.signal })).rejects.toThrow(
      'gone',
    );
    await clock.advanceAsync(50);
    giveUp.abort(new Error('gone'));
    await again;
    await clock.advanceAsync(50);
    expect(await granted(await first).settle()).toMatchObject({ settled: true });
  });

  test('RL15: is bounded by its length and by how long a caller waits', async () => {
    const { limiter, clock } = createLimiter(leaky);
    const waiting = [0, 1, 2, 3].map(() => limiter.reserve(ada, undefined, { maxWaitMs: 1_000 }));
    await clock.advanceAsync(0);
    expect(refused(await limiter.reserve(ada, undefined, { maxWaitMs: 1_000 }))).toMatchObject({ retryAfterMs: 100 });
    expect(refused(await limiter.reserve(ada, undefined, { maxWaitMs: 100 }))).toMatchObject({ retryAfterMs: 300 });
    await clock.advanceAsync(1_000);
    expect((await Promise.all(waiting)).every(({ allowed }) => allowed)).toBe(true);
  });

  test('RL15: can be left: the last one in line leaves no gap', async () => {
    const { limiter, clock } = createLimiter(leaky);
    const controller = new AbortController();
    await limiter.reserve(ada);
    const leaving = limiter.reserve(ada, undefined, { maxWaitMs: 1_000, signal: controller.signal });
    leaving.catch(() => {});
    await clock.advanceAsync(10);
    controller.abort(new Error('gave up'));
    await expect(leaving).rejects.toThrow('gave up');
    expect(refused(await limiter.reserve(ada)).retryAfterMs).toBe(90);
  });
});
