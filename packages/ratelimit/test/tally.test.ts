import { describe, expect, test } from '@jest/globals';
import { sources } from '@sage-adk/core';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import { createRateLimiter, type Rule, usd } from '../src/index.ts';
import { createLimiterQueue } from '../src/queue/limiter-queue.ts';
import { sliceStore } from '../src/slices/slice-store.ts';
import { guardStore } from '../src/stores/guarded-store.ts';
import { createLimiter } from './support/limiters.ts';
import { granted } from './support/outcomes.ts';
import { createSharedStore } from './support/shared-store.ts';

const ada = { user: 'ada' };
const user: Rule = { name: 'user', scope: 'user', limit: 5, per: 'minute' };
const slots: Rule = { name: 'slots', scope: 'user', unit: 'concurrency', limit: 2 };
const tokens: Rule = { name: 'tokens', scope: 'user', unit: 'tokens', limit: 1_000, per: 'hour' };
const budget: Rule = { name: 'budget', scope: 'user', unit: 'cost', limit: usd(1), per: 'hour' };

describe('RL22: counters by rule', () => {
  test('tell what each rule said, in which mode, and who answered', () => {
    const { limiter } = createLimiter({ ...user, limit: 2 }, { ...user, name: 'trial', limit: 1, mode: 'shadow' });
    for (let n = 0; n < 3; n++) limiter.checkSync(ada);
    expect(read('limiter.decisions')).toEqual({
      'user|allowed|enforce|store': 2,
      'user|denied|enforce|store': 1,
      'trial|allowed|shadow|store': 1,
      'trial|denied|shadow|store': 2,
    });
  });

  test('tell when at most a fifth is left', () => {
    const { limiter } = createLimiter({ ...user, limit: 10 });
    for (let n = 0; n < 11; n++) limiter.checkSync(ada);
    expect(read('limiter.near_limit')).toEqual({ user: 3 });
  });

  test('tell what was reserved, used, given back and is owed; money in dollars', async () => {
    const { limiter } = createLimiter(tokens, budget);
    const one = granted(await limiter.reserve(ada, { tokens: 300, costNanoUsd: BigInt(usd(0.5)) }));
    await one.settle({ tokens: 100, costNanoUsd: BigInt(usd(0.25)) });
    const other = granted(await limiter.reserve(ada, { tokens: 200, costNanoUsd: BigInt(usd(0.25)) }));
    await other.settle({ tokens: 1_000, costNanoUsd: BigInt(usd(0.25)) });
    expect(read('limiter.units')).toEqual({
      'tokens|tokens|reserved': 500,
      'tokens|tokens|settled': 1_100,
      'tokens|tokens|refunded': 200,
      'tokens|tokens|debt': 100,
      'budget|cost|reserved': 0.75,
      'budget|cost|settled': 0.5,
      'budget|cost|refunded': 0.25,
      'budget|cost|debt': 0,
    });
    expect(read('limiter.memory')).toMatchObject({ reserved: 2, settled: 2 });
  });

  test('a repeated reservation counts once', async () => {
    const { limiter } = createLimiter(tokens);
    for (let n = 0; n < 2; n++) await limiter.reserve(ada, { tokens: 300 }, { idempotencyKey: 'one' });
    expect(read('limiter.units')).toMatchObject({ 'tokens|tokens|reserved': 300 });
  });

  test('tell the leases that are held now', async () => {
    const { limiter } = createLimiter(slots);
    const held = [granted(await limiter.reserve(ada)), granted(await limiter.reserve(ada))];
    expect(read('limiter.leases')).toEqual({ slots: 2 });
    await held[0]?.settle();
    await held[0]?.settle();
    await held[1]?.cancel();
    expect(read('limiter.leases')).toEqual({ slots: 0 });
  });

  test('never name a subject, and end with the limiter', async () => {
    const { limiter } = createLimiter(user, slots);
    await limiter.reserve({ user: 'a-secret-name' });
    const names = sources().filter(({ name }) => name.startsWith('limiter.'));
    expect(JSON.stringify(names.map((each) => [each.name, each.read()]))).not.toContain('a-secret-name');
    await limiter.close();
    expect(sources().filter(({ name }) => name.startsWith('limiter.'))).toEqual([]);
  });
});

describe('RL22: lease.expired', () => {
  test('tells of a reservation that nobody settled, when its time is over', async () => {
    using recorder = recordOperations();
    const { limiter, clock } = createLimiter({ ...tokens, onExpiry: 'return' }, slots);
    const until = clock.monotonicMs() + 30_000;
    const held = granted(await limiter.reserve(ada, { tokens: 300 }, { ttlMs: 30_000, maxHoldMs: 30_000 }));
    await clock.advanceAsync(until - clock.monotonicMs());
    await clock.advanceAsync(30_000);
    expect(recorder.emitted('lease.expired')).toEqual([
      { rule: 'tokens', held: 300 },
      { rule: 'slots', held: 1 },
    ]);
    expect(read('limiter.leases')).toEqual({ tokens: 0, slots: 0 });
    await held.settle();
    expect(recorder.emitted('lease.expired')).toHaveLength(2);
  });

  test('says nothing of one that was settled by another handle', async () => {
    using recorder = recordOperations();
    const { limiter } = createLimiter(tokens);
    const reserve = async () => granted(await limiter.reserve(ada, { tokens: 300 }, { idempotencyKey: 'one' }));
    const [first, second] = [await reserve(), await reserve()];
    await first.settle();
    await second.settle();
    expect(recorder.emitted('lease.expired')).toEqual([]);
  });
});

describe('RL22: budget.exhausted', () => {
  const tooMuch = { costNanoUsd: BigInt(usd(2)) };

  test('is told of each way in which money can be denied', async () => {
    using recorder = recordOperations();
    const { limiter, clock } = createLimiter(budget);
    limiter.checkSync(ada, { costNanoUsd: BigInt(usd(1)) });
    const more = { costNanoUsd: 1n };
    limiter.checkSync(ada, more);
    await limiter.check(ada, more);
    await limiter.reserve(ada, more);
    await limiter.reserve(ada, more, { onDenied: 'clamp' });
    const queue = createLimiterQueue({ limiter, clock });
    await queue.acquire(ada, more, { maxWaitMs: 0 });
    await queue.close();
    const common = { rule: 'budget', period: 'hour' };
    expect(recorder.emitted('budget.exhausted')).toEqual([
      { ...common, handling: 'reject' },
      { ...common, handling: 'reject' },
      { ...common, handling: 'reject' },
      { ...common, handling: 'clamp' },
      { ...common, handling: 'reject' },
      { ...common, handling: 'reject' },
    ]);
  });

  test('is silent for a rule that is only tried out', () => {
    using recorder = recordOperations();
    const { limiter } = createLimiter({ ...budget, mode: 'shadow' });
    limiter.checkSync(ada, tooMuch);
    expect(recorder.emitted('budget.exhausted')).toEqual([]);
  });
});

describe('RL22: limiter.check', () => {
  const checks = async (wrap: (shared: ReturnType<typeof createSharedStore>) => Parameters<typeof sliceStore>[0]) => {
    using recorder = recordOperations();
    const clock = createFakeClock();
    const limiter = createRateLimiter({ rules: [user], store: wrap(createSharedStore(clock)), clock });
    await limiter.check(ada);
    await limiter.reserve(ada);
    await limiter.close();
    return recorder.named('limiter.check').map(({ start, attributes }) => ({ ...start, ...attributes }));
  };
  const each = { store: 'fake', rules: 1, allowed: true, degraded: false };

  test('is an operation for each decision of a shared store, guarded or not', async () => {
    expect(await checks(({ store }) => store)).toEqual([each, each]);
    expect(await checks(({ store }) => guardStore(store))).toEqual([each, each]);
  });

  test('is one for each time that slices ask their store', async () => {
    const sliced = await checks(({ store }) => sliceStore(store, { rules: ['user'] }));
    const both = await checks(({ store }) => sliceStore(guardStore(store), { rules: ['user'] }));
    expect(sliced.length).toBeGreaterThanOrEqual(2);
    expect(both).toHaveLength(sliced.length);
  });

  test('ends in an error where a store without a guard fails', async () => {
    using recorder = recordOperations();
    const clock = createFakeClock();
    const shared = createSharedStore(clock);
    shared.trouble = { name: 'refused' };
    await using limiter = createRateLimiter({ rules: [user], store: shared.store, clock });
    await expect(limiter.check(ada)).rejects.toThrow('connection refused');
    expect(recorder.named('limiter.check').map(({ outcome }) => outcome)).toEqual(['error']);
  });

  test('is none in this process', () => {
    using recorder = recordOperations();
    const { limiter } = createLimiter(user);
    limiter.checkSync(ada);
    expect(recorder.named('limiter.check')).toEqual([]);
  });
});

function read(name: string): Readonly<Record<string, number>> | undefined {
  return sources()
    .find((each) => each.name === name)
    ?.read();
}
