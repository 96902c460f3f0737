/**
 * What other limiters get wrong, by what their users saw: none of it happens here. Each test stands for a defect that was read or run in a peer
 * and that no other test of this package shows as plainly.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { LimitSubject } from '@sage-adk/core';
import type { RedisCommands } from '@sage-adk/core/redis';
import { createFakeClock } from '@sage-adk/core/testing';
import { describeWithService } from '@tooling/services';
import { createClient } from 'redis';
import { createRateLimiter, type Rule, usd } from '../src/index.ts';
import { createLimiterQueue } from '../src/queue/limiter-queue.ts';
import { openRedisStore } from '../src/stores/redis/redis-store.ts';
import { createLimiter } from './support/limiters.ts';
import { granted } from './support/outcomes.ts';
import { askOf, ruleOf } from './stores/redis/asks.ts';

const ada: LimitSubject = { user: 'ada' };
const strategies = ['token-bucket', 'fixed-window', 'sliding-window', 'leaky-bucket'] as const;

describe('a denial', () => {
  test.each(strategies)('%s: of a large request locks no small one out, however often it is made', (strategy) => {
    const burst = strategy === 'leaky-bucket' ? { burst: 100 } : {};
    const { limiter } = createLimiter({ name: 'user', scope: 'user', limit: 100, per: 'minute', strategy, ...burst });
    limiter.checkSync(ada, { requests: 99 });
    for (let n = 0; n < 50; n++) expect(limiter.checkSync(ada, { requests: 50 }).allowed).toBe(false);
    expect(limiter.checkSync(ada, { requests: 1 })).toMatchObject({ allowed: true, remaining: 0 });
  });

  test.each(strategies)('%s: by the limit of all costs nobody of their own', (strategy) => {
    const { limiter } = createLimiter(
      { name: 'user', scope: 'user', limit: 10, per: 'minute', strategy: 'fixed-window' },
      {
        name: 'all',
        scope: 'global',
        limit: 2,
        per: 'minute',
        strategy,
        ...(strategy === 'leaky-bucket' && { burst: 2 }),
      },
    );
    const admitted = Array.from({ length: 8 }, () => limiter.checkSync(ada)).filter(({ allowed }) => allowed);
    expect(admitted).toHaveLength(2);
    limiter.set('all', { mode: 'shadow' });
    expect(limiter.checkSync(ada, { requests: 8 }).allowed).toBe(true);
  });

  test('leaves no debt that would shut somebody out for months', () => {
    const { limiter, clock } = createLimiter({ name: 'user', scope: 'user', limit: 10, per: 'minute', burst: 20 });
    limiter.checkSync(ada, { requests: 20 });
    for (let n = 0; n < 1_000; n++) limiter.checkSync(ada, { requests: 20 });
    clock.advance(60_000);
    expect(limiter.checkSync(ada, { requests: 10 }).allowed).toBe(true);
  });
});

describe('a limit', () => {
  test('is not exceeded by the last weighted request', () => {
    for (const strategy of strategies) {
      const burst = strategy === 'leaky-bucket' ? { burst: 100 } : {};
      const { limiter } = createLimiter({ name: 'user', scope: 'user', limit: 100, per: 'minute', strategy, ...burst });
      let spent = 0;
      for (let n = 0; n < 20; n++) spent += limiter.checkSync(ada, { requests: 33 }).allowed ? 33 : 0;
      expect(spent).toBe(99);
    }
  });

  test('loses no fraction to who asks again and again', () => {
    const { limiter, clock } = createLimiter({ name: 'user', scope: 'user', limit: 1_000, per: 'minute' });
    limiter.checkSync(ada, { requests: 1_000 });
    let admitted = 0;
    for (let n = 0; n < 600; n++) {
      clock.advance(100);
      while (limiter.checkSync(ada).allowed) admitted++;
    }
    expect(admitted).toBe(1_000);
  });

  test.each(strategies)('%s: holds in windows below a second', (strategy) => {
    const { limiter, clock } = createLimiter({ name: 'user', scope: 'user', limit: 2, per: { ms: 250 }, strategy });
    const admitted = () =>
      Array.from({ length: 5 }, () => limiter.checkSync(ada)).filter(({ allowed }) => allowed).length;
    const most = strategy === 'leaky-bucket' ? 1 : 2;
    expect([admitted(), admitted()]).toEqual([most, 0]);
    clock.advance(250);
    expect(admitted()).toBe(most);
  });

  test.each(strategies)('%s: of two months holds longer than a timer of the platform can', (strategy) => {
    const days = 86_400_000;
    const anchored = strategy === 'fixed-window' ? { anchored: true } : {};
    const rule: Rule = { name: 'user', scope: 'user', limit: 1, per: { ms: 60 * days }, strategy, ...anchored };
    const { limiter, clock } = createLimiter(rule);
    limiter.checkSync(ada);
    clock.advance(25 * days);
    expect(limiter.checkSync(ada).allowed).toBe(false);
    clock.advance(35 * days);
    expect(limiter.checkSync(ada).allowed).toBe(true);
  });
});

describe('a reservation', () => {
  const tokens: Rule = { name: 'tokens', scope: 'user', unit: 'tokens', limit: 1_000, per: 'hour' };

  test('RL23: of many calls at once exceeds no limit, whatever they use in the end', async () => {
    const { limiter } = createLimiter({ ...tokens, strategy: 'sliding-window' });
    const calls = Array.from({ length: 100 }, async () => {
      const reservation = await limiter.reserve(ada, { tokens: 90 });
      await Promise.resolve();
      return reservation.allowed ? (await reservation.settle({ tokens: 70 }), 70) : 0;
    });
    const used = (await Promise.all(calls)).reduce<number>((sum, each) => sum + each, 0);
    expect(used).toBeLessThanOrEqual(1_000);
    expect((await limiter.peek(ada)).remaining).toBe(1_000 - used);
  });

  test('RL23: without an estimate does not pass a limit that is used up', async () => {
    const { limiter } = createLimiter(tokens, {
      name: 'budget',
      scope: 'user',
      unit: 'cost',
      limit: usd(1),
      per: 'hour',
    });
    const first = granted(await limiter.reserve(ada));
    expect(first.assumed).toEqual(['tokens', 'cost']);
    await first.settle({ tokens: 5_000, costNanoUsd: BigInt(usd(3)) });
    expect(await limiter.reserve(ada)).toMatchObject({ allowed: false });
  });

  test('of a default larger than the limit leaves the key usable', async () => {
    const { limiter } = createLimiter({ rules: [{ ...tokens, limit: 100 }], defaultEstimate: { tokens: 1_024 } });
    expect((await limiter.reserve(ada)).allowed).toBe(true);
  });

  test('is given back by a signal, a throw and a denial further on', async () => {
    const { limiter } = createLimiter({ name: 'slots', scope: 'user', unit: 'concurrency', limit: 1 });
    for (let n = 0; n < 3; n++) {
      await expect(limiter.run(ada, undefined, () => Promise.reject(new Error('cut')))).rejects.toThrow('cut');
      await expect(limiter.reserve(ada, undefined, { signal: AbortSignal.abort() })).rejects.toThrow('abort');
    }
    expect((await limiter.reserve(ada)).allowed).toBe(true);
  });

  test('RL3: of a process that died holds its slot for its time and no hour longer', async () => {
    const clock = createFakeClock();
    const rules: readonly Rule[] = [{ name: 'slots', scope: 'user', unit: 'concurrency', limit: 1 }];
    const limiter = createRateLimiter({ rules, clock });
    granted(await limiter.reserve(ada, undefined, { maxHoldMs: 30_000 }));
    await clock.advanceAsync(60_000);
    expect((await limiter.reserve(ada)).allowed).toBe(true);
    await limiter.close();
  });
});

test('a wait longer than a timer of the platform can does not end at once', async () => {
  const limiter = createRateLimiter({ rules: [{ name: 'slots', scope: 'user', unit: 'concurrency', limit: 1 }] });
  const queue = createLimiterQueue({ limiter });
  const held = granted(await limiter.reserve(ada));
  const waiting = queue.acquire(ada, undefined, { maxWaitMs: 60 * 86_400_000 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(queue.size).toBe(1);
  await held.settle();
  expect((await waiting).allowed).toBe(true);
  await queue.close();
  await limiter.close();
});

describeWithService('redis', 'on Redis', (url) => {
  const client = createClient({ url, database: 8 });
  let nowUs = Date.UTC(2025, 0, 1) * 1_000;
  beforeAll(async () => {
    await client.connect();
    await client.flushDb();
  });
  afterAll(async () => {
    await client.flushDb();
    await client.close();
  });

  test('RL17: a key that lost its expiry is neither stuck nor kept for good', async () => {
    const store = openRedisStore({ client, tag: 'persisted', deadlineMs: 5_000 }, () => nowUs);
    const ask = askOf(ruleOf({ limit: 1, per: { ms: 100 }, strategy: 'fixed-window', anchored: true }));
    const spend = async () => (await store.decide({ kind: 'consume', asks: [ask] })).allowed;
    expect(await spend()).toBe(true);
    const [key = ''] = await client.keys('*persisted*');
    await client.persist(key);
    expect([await spend(), await client.pTTL(key)]).toEqual([false, -1]);
    // Each window admits again, and soon the expiry is back.
    for (let n = 0; n < 30; n++) {
      nowUs += 100_000;
      expect(await spend()).toBe(true);
    }
    expect(await client.pTTL(key)).toBeGreaterThan(0);
  });

  test('RL17: a window below a second ends, and its key with it', async () => {
    const store = openRedisStore({ client, tag: 'short', deadlineMs: 5_000 }, () => nowUs);
    const ask = askOf(ruleOf({ limit: 1, per: { ms: 250 } }));
    const spend = async () => (await store.decide({ kind: 'consume', asks: [ask] })).allowed;
    expect([await spend(), await spend()]).toEqual([true, false]);
    const [key = ''] = await client.keys('*short*');
    expect(await client.pTTL(key)).toBeGreaterThan(0);
    nowUs += 250_000;
    expect(await spend()).toBe(true);
  });

  test('RL17: a script is sent once, not with each call', async () => {
    const sent: string[] = [];
    const counted: RedisCommands = {
      get isReady() {
        return client.isReady;
      },
      evalSha: (...call) => (sent.push('evalSha'), client.evalSha(...call)),
      eval: (...call) => (sent.push('eval'), client.eval(...call)),
    };
    const store = openRedisStore({ client: counted, tag: 'scripts', deadlineMs: 5_000 });
    const ask = askOf(ruleOf({ limit: 100 }));
    await store.decide({ kind: 'consume', asks: [ask] });
    sent.length = 0;
    for (let n = 0; n < 10; n++) await store.decide({ kind: 'consume', asks: [ask] });
    expect(sent).toEqual(Array.from({ length: 10 }, () => 'evalSha'));
  });
});
