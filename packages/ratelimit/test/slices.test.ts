import { afterEach, describe, expect, test } from '@jest/globals';
import type { Clock } from '@sage-adk/core';
import { createFakeClock, createSeededRandom } from '@sage-adk/core/testing';
import { createRateLimiter, type Decision, type RateLimiter, type Rule, type Strategy } from '../src/index.ts';
import { guardStore } from '../src/stores/guarded-store.ts';
import { createMemoryStore } from '../src/stores/memory.ts';
import { Demand } from '../src/slices/demand.ts';
import { type SliceOptions, sliceStore } from '../src/slices/slice-store.ts';
import { createSharedStore } from './support/shared-store.ts';
import { type Admitted, mostWithin } from './support/traffic.ts';

const everybody = { user: 'ada' };
const global: Rule = { name: 'global', scope: 'global', limit: 1_000, per: 'second', strategy: 'sliding-window' };
const closing: RateLimiter[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((limiter) => limiter.close()));
});

describe('slices', () => {
  test('RL25: answer in this process what was taken ahead', async () => {
    const { limiters, server, clock } = create([global]);
    const [limiter] = limiters;
    for (let n = 0; n < 40; n++) await limiter.check(everybody);
    await clock.advanceAsync(1);
    server.calls.length = 0;
    const decisions = Array.from({ length: 10 }, () => limiter.checkSync(everybody));
    expect(decisions.every(({ allowed, source }) => allowed && source === 'slice')).toBe(true);
    expect(server.calls.length).toBeLessThan(3);
  });

  test('are fetched ahead when whoever is answered has gone on, not before', async () => {
    const { limiters, server, clock } = create([global]);
    for (let n = 0; n < 40; n++) await limiters[0].check(everybody);
    // More than half of the time of what is here is over.
    await clock.advanceAsync(8);
    server.calls.length = 0;
    expect((await limiters[0].check(everybody)).source).toBe('slice');
    expect(server.calls).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.calls).toContain('reserve');
  });

  test('are given back when their time is over', async () => {
    const { limiters, server, clock } = create([global], 2);
    for (let n = 0; n < 40; n++) await limiters[0].check(everybody);
    expect(await usedOn(limiters[1])).toBeGreaterThan(40);
    await clock.advanceAsync(100);
    expect(await usedOn(limiters[1])).toBe(40);
    expect(server.server.counts().reservations).toBeLessThan(12);
  });

  test('are left to a peek of who holds them, and used to others', async () => {
    const { limiters, clock } = create([global, { name: 'user', scope: 'user', limit: 3, per: 'minute' }], 2);
    const bob = { user: 'bob' };
    for (const user of ['ada', 'bob', 'cid']) await limiters[0].check({ user }, { requests: 3 });
    const left = async (limiter: RateLimiter, subject: { user: string }): Promise<readonly number[]> =>
      (await limiter.peek(subject)).rules.map(({ remaining }) => remaining);
    expect(await left(limiters[0], bob)).toEqual([991, 0]);
    expect((await limiters[0].peek(bob)).violated.map(({ rule }) => rule)).toEqual(['user']);
    expect((await left(limiters[1], bob))[0]).toBeLessThan(991);
    await clock.advanceAsync(100);
    expect(await left(limiters[1], bob)).toEqual([991, 0]);
  });

  test('suffice for what a peek says, where the store has nothing left', async () => {
    const { limiters } = create([{ ...global, limit: 200 }], 2);
    for (let n = 0; n < 40; n++) await limiters[0].check(everybody);
    const taken = await usedOn(limiters[1]);
    expect(taken).toBeGreaterThan(40);
    await limiters[1].reserve(everybody, { requests: 200 - taken });
    expect(await limiters[1].peek(everybody)).toMatchObject({ allowed: false, remaining: 0 });
    const held = taken - 40;
    expect(await limiters[0].peek(everybody, { requests: held })).toMatchObject({
      allowed: true,
      remaining: held,
      retryAfterMs: 0,
    });
    expect(await limiters[0].peek(everybody, { requests: held + 1 })).toMatchObject({
      allowed: false,
      remaining: held,
    });
    expect((await limiters[0].check(everybody, { requests: held })).allowed).toBe(true);
    expect(await limiters[0].peek(everybody)).toMatchObject({ allowed: false, remaining: 0 });
  });

  test('are given back when the limiter closes', async () => {
    const { limiters } = create([global], 2);
    for (let n = 0; n < 40; n++) await limiters[0].check(everybody);
    await limiters[0].close();
    expect(await usedOn(limiters[1])).toBe(40);
  });

  test('deny with the wait of the store, and to the last unit', async () => {
    const { limiters } = create([{ ...global, limit: 10 }], 3);
    const decisions = [];
    for (let n = 0; n < 30; n++) decisions.push(await limiters[n % 3 === 0 ? 0 : n % 3 === 1 ? 1 : 2].check(everybody));
    expect(decisions.filter(({ allowed }) => allowed).length).toBeLessThanOrEqual(10);
    expect(decisions.filter(({ allowed }) => allowed).length).toBeGreaterThanOrEqual(8);
    expect(decisions.at(-1)?.retryAfterMs).toBeGreaterThan(900);
  });

  test('are not spent when their time is over, however late their timers are', async () => {
    const { limiters, server, clock, block } = create([global]);
    for (let n = 0; n < 40; n++) await limiters[0].check(everybody);
    await clock.advanceAsync(1);
    expect(limiters[0].checkSync(everybody).source).toBe('slice');
    block(15);
    server.calls.length = 0;
    expect(await limiters[0].check(everybody)).toMatchObject({ allowed: true });
    expect(server.calls).toContain('reserve');
  });

  test('of which some are over are spent from the others alone', async () => {
    const { limiters, server, clock, block } = create([global]);
    for (let n = 0; n < 40; n++) await limiters[0].check(everybody);
    await clock.advanceAsync(6);
    for (let n = 0; n < 20; n++) await limiters[0].check(everybody);
    await clock.advanceAsync(1);
    // Now there are an older slice and a younger one, and the older one's timer is late.
    block(5);
    const before = server.server.counts().reservations;
    const decisions = await Promise.all(Array.from({ length: 200 }, () => limiters[0].check(everybody)));
    expect(decisions.every(({ allowed }) => allowed)).toBe(true);
    expect(server.server.counts().reservations).toBeGreaterThan(before);
    await limiters[0].close();
  });

  test('that come later than they last are spent by those who waited for them, and by nobody else', async () => {
    const { limiters, clock, server } = create([global]);
    server.trouble = { name: 'slow', ms: 30 };
    const early = Array.from({ length: 8 }, () => limiters[0].check(everybody));
    await clock.advanceAsync(29);
    const late = limiters[0].check(everybody);
    await clock.advanceAsync(2);
    expect((await Promise.all(early)).every(({ allowed, source }) => allowed && source === 'slice')).toBe(true);
    expect(server.calls).toEqual(['reserve', 'reserve']);
    await clock.advanceAsync(30);
    expect(await late).toMatchObject({ allowed: true, source: 'slice' });
    server.trouble = { name: 'none' };
    await clock.advanceAsync(1_000);
  });

  test('are taken as the limit is now', async () => {
    const { limiters, clock } = create([global]);
    for (let n = 0; n < 40; n++) await limiters[0].check(everybody);
    limiters[0].set('global', { limit: 50 });
    const decisions = [];
    for (let n = 0; n < 100; n++) decisions.push(await limiters[0].check(everybody));
    expect(decisions.filter(({ allowed }) => allowed).length).toBeLessThanOrEqual(10 + 50);
    expect(decisions.at(-1)).toMatchObject({ allowed: false, limit: 50 });
    await clock.advanceAsync(1_000);
  });

  test('are no longer spent when somebody else says what is left', async () => {
    const { limiters, clock } = create([global]);
    for (let n = 0; n < 40; n++) await limiters[0].check(everybody);
    await clock.advanceAsync(1);
    await limiters[0].lower(everybody, [{ rule: 'global', remaining: 3 }]);
    const decisions = [];
    for (let n = 0; n < 20; n++) decisions.push(await limiters[0].check(everybody));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(3);
  });

  test('many callers at once wait for one slice, not each for its own', async () => {
    const { limiters, server } = create([{ ...global, limit: 10_000 }]);
    const decisions = await Promise.all(Array.from({ length: 64 }, () => limiters[0].check(everybody)));
    expect(decisions.every(({ allowed }) => allowed)).toBe(true);
    expect(server.calls.length).toBeLessThan(4);
  });

  test('a crowd gets what is left in the order of its coming, by a few calls of the store', async () => {
    const { limiters, server } = create([{ ...global, limit: 2_000 }]);
    const decisions = await Promise.all(Array.from({ length: 3_000 }, () => limiters[0].check(everybody)));
    const denied = decisions.findIndex(({ allowed }) => !allowed);
    expect(denied).toBe(2_000);
    expect(decisions.slice(denied).some(({ allowed }) => allowed)).toBe(false);
    expect(server.calls.length).toBeLessThan(6);
  });

  test.each(['open', 'closed', 'local'] as const)(
    'RL25: before a guarded store that stalls every caller has its answer within one deadline (%s)',
    async (onStoreError) => {
      const clock = createFakeClock();
      const shared = createSharedStore(clock);
      const store = sliceStore(guardStore(shared.store, { clock }), { rules: ['global'], clock });
      const limiter = createRateLimiter({ rules: [{ ...global, onStoreError }], store, clock });
      closing.push(limiter);
      shared.trouble = { name: 'stalled', carriesOut: false };
      const waitedMs: number[] = [];
      const ask = async (): Promise<void> => {
        const askedMs = clock.monotonicMs();
        expect((await limiter.check(everybody)).degraded).toBe(true);
        waitedMs.push(clock.monotonicMs() - askedMs);
      };
      const asked = Array.from({ length: 64 }, ask);
      for (let ms = 0; ms < 200; ms++) {
        await clock.advanceAsync(1);
        // What a deadline rejects comes a turn later, and there may be some in a row.
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
        if (ms < 90 && ms % 10 === 0) asked.push(ask());
      }
      shared.trouble = { name: 'none' };
      await Promise.all(asked);
      expect(waitedMs).toHaveLength(73);
      expect(Math.max(...waitedMs)).toBeLessThanOrEqual(51);
    },
  );

  test('are what answers, also after the guard denied a larger one from its memory', async () => {
    const clock = createFakeClock();
    const shared = createSharedStore(clock);
    const store = sliceStore(guardStore(shared.store, { clock }), { rules: ['global'], clock });
    const limiter = createRateLimiter({ rules: [{ ...global, limit: 100 }], store, clock });
    closing.push(limiter);
    for (let n = 0; n < 50; n++) await limiter.check(everybody);
    // The store denies the first, the guard those after it.
    for (let n = 0; n < 3; n++) expect((await limiter.check(everybody, { requests: 90 })).allowed).toBe(false);
    expect(await limiter.check(everybody)).toMatchObject({ allowed: true, source: 'slice', degraded: false });
    await clock.advanceAsync(2_000);
  });

  test('stand beside rules that are not sliced, all or nothing', async () => {
    const { limiters } = create([global, { name: 'user', scope: 'user', limit: 3, per: 'minute' }]);
    const decisions = [];
    for (let n = 0; n < 6; n++) decisions.push(await limiters[0].check(everybody));
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, false, false, false]);
    expect(decisions[5]?.violated.map(({ rule }) => rule)).toEqual(['user']);
    expect(decisions[0]?.rules.map(({ rule }) => rule)).toEqual(['global', 'user']);
    await limiters[0].close();
  });

  test('of a shadow rule deny nothing', async () => {
    const { limiters } = create([{ ...global, limit: 2, mode: 'shadow' }]);
    const decisions = [];
    for (let n = 0; n < 4; n++) decisions.push(await limiters[0].check(everybody));
    expect(decisions.map(({ allowed, shadowDenied }) => [allowed, shadowDenied.length])).toEqual([
      [true, 0],
      [true, 0],
      [true, 1],
      [true, 1],
    ]);
  });

  test('are not taken of a rule that admits one at once, which the store is asked about as it is', async () => {
    const perUser: Rule = { name: 'global', scope: 'user', limit: 100, per: 'minute' };
    const { limiters, clock } = create([perUser]);
    const [limiter] = limiters;
    const [ada, bob] = [{ user: 'ada' }, { user: 'bob' }];
    expect((await limiter.check(ada)).allowed).toBe(true);
    await clock.advanceAsync(1_000);
    limiter.set('global', { limit: 1 }, ada);
    expect([(await limiter.check(ada)).source, (await limiter.check(ada)).allowed]).toEqual(['store', false]);
    expect((await limiter.check(bob)).source).toBe('slice');
    await clock.advanceAsync(1_000);
    limiter.set('global', { limit: 1 });
    await clock.advanceAsync(60_000);
    expect([(await limiter.reserve(bob)).allowed, (await limiter.check(bob)).allowed]).toEqual([true, false]);
    expect(await limiter.snapshot()).toMatchObject([{ key: 'bob', limit: 1, remaining: 0 }]);
    limiter.set('global', { limit: 100 });
    expect((await limiter.check(bob)).source).toBe('slice');
  });

  test.each<[string, Rule, string]>([
    ['slots', { name: 'global', scope: 'global', unit: 'concurrency', limit: 3 }, 'unit'],
    ['a queue', { ...global, strategy: 'leaky-bucket', maxQueue: 3 }, 'maxQueue'],
    ['a queue of a tier', { ...global, strategy: 'leaky-bucket', tiers: { gold: { maxQueue: 3 } } }, 'maxQueue'],
    ['what comes back by itself', { ...global, onExpiry: 'return' }, 'onExpiry'],
  ])('are refused for %s before a limiter is made', (_name, rule, key) => {
    const refusal = { code: 'SAGE_CORE_INVALID_OPTION', message: expect.stringContaining(`rules["global"].${key}`) };
    expect(() => create([rule])).toThrow(expect.objectContaining(refusal));
  });

  test.each([
    ['all', undefined],
    ['one subject', { user: 'ada' }],
  ])('refuse a queue that is set for %s, and nothing is changed', async (_name, subject) => {
    const { limiters } = create([{ ...global, scope: 'user', strategy: 'leaky-bucket', burst: 10 }]);
    const [limiter] = limiters;
    await limiter.check(everybody);
    const message = expect.stringContaining('rules["global"].maxQueue is 3; it must be 0, or the rule left out of');
    const refusal = expect.objectContaining({ code: 'SAGE_CORE_INVALID_OPTION', message });
    expect(() => limiter.set('global', { limit: 500, maxQueue: 3 }, subject)).toThrow(refusal);
    expect(await limiter.check(everybody)).toMatchObject({ allowed: true, limit: 1_000 });
    limiter.set('global', { limit: 500, maxQueue: 0 }, subject);
    expect(await limiter.check(everybody)).toMatchObject({ allowed: true, limit: 500 });
  });

  const kinds: readonly (readonly [string, Partial<Rule>, (windowUs: number) => number])[] = [
    ['a sliding window', { limit: 300, strategy: 'sliding-window' }, () => 300],
    ['a log', { limit: 100, strategy: 'sliding-window' }, () => 100],
    ['a token bucket', { limit: 200, strategy: 'token-bucket' }, (windowUs) => 200 + (200 * windowUs) / 1_000_000],
    ['a strict bucket', { limit: 200, strategy: 'token-bucket', strict: true }, () => 200],
  ];
  test.each(kinds)('RL26: %s is never exceeded by eight processes, two of which die', async (_kind, fields, most) => {
    for (let seed = 1; seed <= 6; seed++) {
      const admitted = await overload(seed, { ...global, ...fields });
      const windowUs = 999_999;
      expect(mostWithin(admitted, windowUs)).toBeLessThanOrEqual(most(windowUs));
    }
  });

  test('RL26: a fixed window is never exceeded by eight processes', async () => {
    const admitted = await overload(7, { ...global, limit: 200, strategy: 'fixed-window' });
    const perWindow = new Map<number, number>();
    for (const { atUs, cost } of admitted) {
      const window = Math.floor(atUs / 1_000_000);
      perWindow.set(window, (perWindow.get(window) ?? 0) + cost);
    }
    expect(Math.max(...perWindow.values())).toBeLessThanOrEqual(200);
  });

  test('hold half as much again as is spent until the next one, which a slow store makes longer', () => {
    const demand = new Demand();
    const sizes = (everyMs: number, units: number, count: number, sinceMs: number): readonly number[] =>
      Array.from({ length: count }, (_, n) => {
        demand.spend(units);
        return demand.sizeNext(sinceMs + (n + 1) * everyMs, 5, 50);
      });
    expect(sizes(5, 4, 5, 0)).toEqual([2, 4, 6, 6, 6]);
    expect(sizes(20, 16, 4, 25)).toEqual([12, 24, 24, 24]);
    // A burst doubles it again and again, to the most there may be; a pause halves it.
    expect(sizes(0.1, 24, 3, 105)).toEqual([48, 50, 50]);
    expect(sizes(5, 0, 7, 106)).toEqual([25, 13, 7, 4, 2, 1, 1]);
  });

  test('are fetched sooner where the store is slow now and then, so that hardly anybody waits', async () => {
    const { limiters, clock, server } = create([{ ...global, limit: 10_000 }]);
    let waited = 0;
    for (let ms = 0; ms < 4_000; ms++) {
      // Longer than half of the time of a slice.
      server.trouble = { name: 'slow', ms: ms % 50 < 4 ? 9 : 1 };
      let isAnswered = false;
      void limiters[0].check(everybody).then(() => {
        isAnswered = true;
      });
      await new Promise((resolve) => setImmediate(resolve));
      if (ms >= 2_000 && !isAnswered) waited++;
      await clock.advanceAsync(1);
    }
    server.trouble = { name: 'none' };
    await clock.advanceAsync(1_000);
    expect(waited / 2_000).toBeLessThan(0.03);
  });

  test.each(['sliding-window', 'token-bucket', 'fixed-window'] as const)(
    'deny nobody while a quarter of the limit is left, and ask the store for a slice now and then (%s)',
    async (strategy) => {
      const { limiters, clock, server } = create([{ ...global, limit: 4_000, strategy }], 4);
      server.trouble = { name: 'slow', ms: 1 };
      const decisions: Promise<Decision>[] = [];
      for (let ms = 0; ms < 3_000; ms++) {
        if (ms === 1_000) server.calls.length = 0;
        if (ms % 4 !== 3) for (const limiter of limiters) decisions.push(limiter.check(everybody));
        await clock.advanceAsync(1);
      }
      const asked = server.calls.filter((call) => call === 'reserve').length;
      server.trouble = { name: 'none' };
      await clock.advanceAsync(1_000);
      expect((await Promise.all(decisions)).every(({ allowed }) => allowed)).toBe(true);
      // One in every half of a slice's time is 160 a second for each process, or 40.
      expect(asked / (2 * 4)).toBeLessThan(strategy === 'sliding-window' ? 170 : 45);
    },
  );

  test.each(['sliding-window', 'token-bucket', 'fixed-window'] as const)(
    'make no queue of a limit: at half as much again everybody is answered at once, a third by a denial (%s)',
    async (strategy) => {
      const { limiters, clock, server } = create([{ ...global, limit: 4_000, strategy }], 4);
      server.trouble = { name: 'slow', ms: 1 };
      const waitedMs: number[] = [];
      const counts = { admitted: 0, denied: 0, withoutWait: 0 };
      const ask = async (limiter: RateLimiter): Promise<void> => {
        const askedMs = clock.monotonicMs();
        const { allowed, retryAfterMs = 0 } = await limiter.check(everybody);
        waitedMs.push(clock.monotonicMs() - askedMs);
        counts[allowed ? 'admitted' : 'denied']++;
        if (!allowed && retryAfterMs <= 0) counts.withoutWait++;
      };
      for (let ms = 0; ms < 5_000; ms++) {
        for (const limiter of limiters) for (let n = 0; n < 1 + (ms % 2); n++) void ask(limiter);
        await clock.advanceAsync(1);
      }
      server.trouble = { name: 'none' };
      await clock.advanceAsync(1_000);
      expect(waitedMs).toHaveLength(30_000);
      expect(Math.max(...waitedMs)).toBeLessThan(10);
      expect(counts.withoutWait).toBe(0);
      expect(counts.admitted).toBeGreaterThan(4_000 * 5 * 0.95);
      expect(counts.admitted).toBeLessThanOrEqual(4_000 * 6);
    },
  );

  test.each(['sliding-window', 'token-bucket', 'fixed-window'] as const)(
    'RL25: steady load uses more than 98 %% of the limit, also where one process after the other stops for a while (%s)',
    async (strategy) => {
      expect(await usedBy(strategy, false)).toBeGreaterThan(0.98);
      expect(await usedBy(strategy, true)).toBeGreaterThan(0.98);
    },
  );
});

/** Part of the limit that four processes use in twenty seconds, asking for a tenth more. */
async function usedBy(strategy: Strategy, stops: boolean): Promise<number> {
  const { limiters, clock } = create([{ ...global, limit: 2_000, strategy }], 4);
  let admitted = 0;
  for (let ms = 0; ms < 22_000; ms += 5) {
    if (ms === 2_000) admitted = 0;
    // With slices in its hands.
    const stopped = stops && ms % 100 < 50 ? Math.floor(ms / 100) % 4 : -1;
    const running = limiters.filter((_limiter, index) => index !== stopped);
    for (let n = 0; n < 11; n++) {
      void running[n % running.length]?.check(everybody).then(({ allowed }) => (admitted += Number(allowed)));
    }
    await clock.advanceAsync(5);
  }
  expect(admitted).toBeLessThanOrEqual(2_000 * 21);
  return admitted / (2_000 * 20);
}

/** Eight processes, each a network away, ask for three times the limit; what was admitted, on the true clock. */
async function overload(seed: number, rule: Rule): Promise<readonly Admitted[]> {
  const random = createSeededRandom(seed);
  const { limiters, clock, server } = create([rule], 8);
  server.trouble = { name: 'slow', ms: 1 };
  const admitted: Admitted[] = [];
  const startMs = clock.monotonicMs();
  while (clock.monotonicMs() < startMs + 3_000) {
    // Two of them stop for good in the middle, with slices in their hands.
    const living = clock.monotonicMs() < startMs + 1_500 ? 8 : 6;
    const limiter = limiters[Math.floor(random() * living)] ?? limiters[0];
    const cost = random() < 0.1 ? Math.ceil(random() * 20) : 1;
    void limiter.check(everybody, { requests: cost }).then(({ allowed }) => {
      if (allowed) admitted.push({ atUs: Math.round((clock.now() - Date.UTC(2025, 0, 1)) * 1_000), cost });
    });
    if (random() < 0.7) await clock.advanceAsync(random() < 0.02 ? random() * 400 : random() * 4);
  }
  server.trouble = { name: 'none' };
  await clock.advanceAsync(1_000);
  return admitted;
}

function create(rules: readonly Rule[], processes = 1, options: Partial<SliceOptions> = {}) {
  const fake = createFakeClock();
  let blockedMs = 0;
  const clock: Clock = {
    now: () => fake.now(),
    monotonicMs: () => fake.monotonicMs() + blockedMs,
    setTimer: (callback, delayMs) => fake.setTimer(callback, delayMs),
  };
  const server = createSharedStore(fake, createMemoryStore({ clock: fake }));
  const limiters = Array.from({ length: processes }, () => {
    const store = sliceStore(server.store, { rules: ['global'], ...options, clock });
    return createRateLimiter({ rules, store, clock });
  });
  closing.push(...limiters);
  return {
    limiters: limiters as unknown as readonly [RateLimiter, RateLimiter, RateLimiter],
    clock: fake,
    server,
    /** Lets time pass while no timer can fire. */
    block: (ms: number) => void (blockedMs += ms),
  };
}

async function usedOn(limiter: RateLimiter): Promise<number> {
  const { limit, remaining } = await limiter.peek(everybody);
  return limit - remaining;
}
