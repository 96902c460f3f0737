import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { LimitSubject } from '@sage-adk/core';
import { createFakeClock, createSeededRandom, recordOperations } from '@sage-adk/core/testing';
import { createRateLimiter, type Denied, type Reservation, type Rule } from '../../src/index.ts';
import { type AcquireOptions, createLimiterQueue, type LimiterQueueOptions } from '../../src/queue/limiter-queue.ts';
import { guardStore } from '../../src/stores/guarded-store.ts';
import { createMemoryStore } from '../../src/stores/memory.ts';
import type { LimiterStore } from '../../src/stores/store.ts';
import { createSharedStore } from '../support/shared-store.ts';

const ada = { user: 'ada' };
const bob = { user: 'bob' };
const everyone: Rule = { name: 'everyone', scope: 'global', limit: 10, per: 'second', burst: 1 };
const user: Rule = { name: 'user', scope: 'user', limit: 1, per: 'second' };
const slots: Rule = { name: 'slots', scope: 'global', unit: 'concurrency', limit: 1 };

describe('a queue', () => {
  test('admits at once where there is room', async () => {
    const { queue } = create([everyone]);
    expect((await queue.acquire(ada)).allowed).toBe(true);
    expect(queue.size).toBe(0);
  });

  test('lets calls wait, and admits each when its limit has room', async () => {
    const { acquire, admitted, clock, queue } = create([everyone]);
    for (const name of ['a', 'b', 'c']) acquire(name, ada);
    await clock.advanceAsync(0);
    expect(queue.size).toBe(2);
    await clock.advanceAsync(1_000);
    expect(admitted).toEqual(['a 0', 'b 100', 'c 200']);
    expect(queue.size).toBe(0);
  });

  test('who comes later does not overtake, even when there is room', async () => {
    const { acquire, admitted, clock } = create([everyone]);
    acquire('a', ada);
    acquire('b', ada);
    await clock.advanceAsync(99);
    acquire('c', bob);
    await clock.advanceAsync(200);
    expect(admitted).toEqual(['a 0', 'b 100', 'c 200']);
  });

  test('is denied when the wait is over', async () => {
    using recorder = recordOperations();
    const { acquire, clock, outcomes, queue } = create([{ ...everyone, per: 'minute' }]);
    acquire('a', ada);
    acquire('b', ada, { maxWaitMs: 1_000 });
    await clock.advanceAsync(2_000);
    expect(outcomes.get('b')).toMatchObject({ allowed: false, rule: 'everyone', retryAfterMs: 6_000 });
    expect(queue.size).toBe(0);
    expect(recorder.emitted('limiter.denied').map(({ rule }) => rule)).toEqual(['everyone']);
    expect(recorder.named('queue.wait')).toHaveLength(1);
  });

  test('is denied at once where waiting cannot help', async () => {
    const { queue } = create([
      { ...everyone, burst: 3 },
      { ...user, scope: 'global', limit: 5 },
    ]);
    expect(await queue.acquire(ada, { requests: 4 })).toMatchObject({ allowed: false, retryAfterMs: undefined });
    await queue.acquire(ada, { requests: 3 });
    void queue.acquire(ada, { requests: 3 });
    await Promise.resolve();
    expect(await queue.acquire(ada, { requests: 4 })).toMatchObject({ allowed: false, retryAfterMs: undefined });
  });

  test('is left with its signal, and leaves nothing behind', async () => {
    const { acquire, clock, errors, queue, limiter } = create([everyone]);
    const controller = new AbortController();
    acquire('a', ada);
    acquire('b', ada, { signal: controller.signal });
    await clock.advanceAsync(10);
    controller.abort(new Error('gave up'));
    await clock.advanceAsync(1_000);
    expect(errors.get('b')).toMatchObject({ message: 'gave up' });
    expect(queue.size).toBe(0);
    expect((await limiter.peek(ada)).remaining).toBe(1);
    await expect(queue.acquire(ada, undefined, { signal: controller.signal })).rejects.toThrow('gave up');
  });

  test('is bounded, in all and for each user', async () => {
    const { acquire, clock, outcomes } = create([everyone], { maxSize: 3, maxPerUser: 2 });
    for (const name of ['a', 'b', 'c', 'd']) acquire(name, ada);
    for (const name of ['e', 'f']) acquire(name, bob);
    await clock.advanceAsync(0);
    expect([...outcomes].map(([name, { allowed }]) => `${name} ${allowed}`).sort()).toEqual([
      'a true',
      'd false',
      'f false',
    ]);
    await clock.advanceAsync(1_000);
    expect([...outcomes.values()].filter(({ allowed }) => allowed)).toHaveLength(4);
  });

  test('who has the most in a full queue makes room for who has less', async () => {
    const { acquire, clock, outcomes } = create([everyone], { maxSize: 4 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) acquire(name, ada);
    await clock.advanceAsync(0);
    acquire('f', bob);
    acquire('g', bob);
    await clock.advanceAsync(0);
    expect([...outcomes].filter(([, { allowed }]) => !allowed).map(([name]) => name)).toEqual(['e', 'd']);
    acquire('h', bob);
    acquire('i', ada);
    await clock.advanceAsync(0);
    expect(outcomes.get('h')).toMatchObject({ allowed: false });
    expect(outcomes.get('i')).toMatchObject({ allowed: false });
  });

  test('urgent calls of a user go first, and age counts', async () => {
    const { acquire, admitted, clock } = create([{ ...everyone, limit: 1 }], { ageingMs: 1_500 });
    acquire('now', ada);
    acquire('later', ada, { priority: 2 });
    acquire('usual', ada);
    acquire('urgent', ada, { priority: 0 });
    await clock.advanceAsync(2_000);
    acquire('urgent, but late', ada, { priority: 0 });
    await clock.advanceAsync(10_000);
    expect(admitted.map((each) => each.replace(/ \d+$/, ''))).toEqual([
      'now',
      'urgent',
      'usual',
      'urgent, but late',
      'later',
    ]);
  });

  test('runs a call within the reservation it waited for', async () => {
    const { queue, clock, limiter } = create([slots]);
    const order: string[] = [];
    const work = (name: string) =>
      queue.run(ada, undefined, async () => {
        order.push(`${name} begins`);
        await new Promise<void>((resolve) => void clock.setTimer(resolve, 50));
        order.push(`${name} ends`);
        return { value: name };
      });
    const all = Promise.all([work('a'), work('b')]);
    await clock.advanceAsync(200);
    expect(await all).toEqual(['a', 'b']);
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    expect((await limiter.peek(ada)).remaining).toBe(1);
  });

  test('ends with close: who waits is told, the limiter stays', async () => {
    const { acquire, clock, errors, queue, limiter } = create([everyone]);
    acquire('a', ada);
    acquire('b', ada);
    await clock.advanceAsync(0);
    await queue.close();
    await clock.advanceAsync(0);
    expect(errors.get('b')).toMatchObject({ code: 'SAGE_RATELIMIT_CLOSED' });
    await expect(queue.acquire(ada)).rejects.toMatchObject({ code: 'SAGE_RATELIMIT_CLOSED' });
    expect((await limiter.peek(ada)).allowed).toBe(false);
  });
});

describe('several limits', () => {
  test("one user's own limit holds up nobody else", async () => {
    const { acquire, admitted, clock } = create([everyone, user]);
    for (let n = 0; n < 3; n++) acquire(`ada${n}`, ada);
    acquire('bob', bob);
    acquire('eve', { user: 'eve' });
    await clock.advanceAsync(3_000);
    expect(admitted).toEqual(['ada0 0', 'bob 100', 'eve 200', 'ada1 1000', 'ada2 2000']);
  });

  test('a call that waited for its own limit waits for the common one as well, in a fair order', async () => {
    const { acquire, admitted, clock } = create([
      { ...everyone, limit: 1 },
      { ...user, limit: 2 },
    ]);
    for (let n = 0; n < 3; n++) acquire(`ada${n}`, ada);
    for (let n = 0; n < 3; n++) acquire(`bob${n}`, bob);
    await clock.advanceAsync(10_000);
    expect(admitted).toEqual(['ada0 0', 'ada1 1000', 'bob0 2000', 'ada2 3000', 'bob1 4000', 'bob2 5000']);
  });

  test('nobody is forgotten, whichever limits deny, and however calls come and go', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = createSeededRandom(seed);
      const rules: Rule[] = [
        { ...everyone, limit: 40, burst: 4 },
        { ...user, limit: 6 },
        { ...slots, limit: 3 },
        { name: 'own', scope: 'user', unit: 'concurrency', limit: 1 },
        { name: 'tenant', scope: 'tenant', limit: 20, per: 'second' },
      ];
      const { queue, clock, limiter } = create(rules);
      const ends: string[] = [];
      const calls = Array.from({ length: 60 }, async (_, n) => {
        const controller = new AbortController();
        const subject = { user: `user${n % 5}`, tenant: `tenant${n % 2}` };
        if (random() < 0.2) clock.setTimer(() => controller.abort(new Error('gave up')), random() * 3_000);
        const maxWaitMs = random() < 0.2 ? random() * 2_000 : 1_000_000;
        try {
          const outcome = await queue.acquire(subject, undefined, { maxWaitMs, signal: controller.signal });
          ends.push(outcome.allowed ? 'admitted' : 'denied');
          if (!outcome.allowed) return;
          await new Promise<void>((resolve) => void clock.setTimer(resolve, random() * 200));
          await outcome.settle();
        } catch {
          ends.push('cancelled');
        }
      });
      await clock.advanceAsync(60_000);
      await Promise.all(calls);
      expect(ends).toHaveLength(60);
      expect(queue.size).toBe(0);
      expect((await limiter.peek({ user: 'new', tenant: 'new' })).rules.map(({ remaining }) => remaining)).toEqual([
        4, 3, 6, 1, 20,
      ]);
    }
  });
});

describe('slots', () => {
  test('go to who waits as soon as they come back', async () => {
    const { acquire, admitted, clock, outcomes } = create([slots]);
    acquire('a', ada);
    acquire('b', bob);
    await clock.advanceAsync(1_234);
    await (outcomes.get('a') as Reservation).settle();
    await clock.advanceAsync(0);
    expect(admitted).toEqual(['a 0', 'b 1234']);
  });

  test('that another process gave back are found by asking', async () => {
    const clock = createFakeClock();
    const server = createSharedStore(clock);
    const [mine, other] = [1, 2].map(() => {
      const store = guardStore(server.store, { clock });
      return createRateLimiter({ rules: [slots], store, clock });
    });
    if (mine === undefined || other === undefined) throw new TypeError('two limiters');
    const held = (await other.reserve(ada)) as Reservation;
    const queue = createLimiterQueue({ limiter: mine, clock, pollMs: 100 });
    const waiting = queue.acquire(bob);
    await clock.advanceAsync(1_000);
    await held.settle();
    await clock.advanceAsync(100);
    expect((await waiting).allowed).toBe(true);
    await Promise.all([queue.close(), mine.close(), other.close()]);
  });
});

describe('what happens while a call is asking', () => {
  test('a slot that comes back after the denial is not missed', async () => {
    const { queue, limiter, clock, server } = createLate([slots], { pollMs: 60_000 });
    const held = await limiter.reserve(ada);
    server.answerAfterMs = 50;
    const waiting = queue.acquire(bob);
    server.answerAfterMs = 0;
    if (held.allowed) await held.settle();
    await clock.advanceAsync(50);
    await clock.advanceAsync(0);
    expect(await settledIn(waiting)).toMatchObject({ allowed: true });
  });

  test('an abort ends the call', async () => {
    const { queue, limiter, clock, server } = createLate([slots]);
    await limiter.reserve(ada);
    const controller = new AbortController();
    server.answerAfterMs = 50;
    const waiting = queue.acquire(bob, undefined, { signal: controller.signal });
    waiting.catch(() => {});
    controller.abort(new Error('gave up'));
    await clock.advanceAsync(50);
    await expect(settledIn(waiting)).rejects.toThrow('gave up');
    expect(queue.size).toBe(0);
  });

  test('the end of the queue ends the call', async () => {
    const { queue, limiter, clock, server } = createLate([slots]);
    await limiter.reserve(ada);
    server.answerAfterMs = 50;
    const waiting = queue.acquire(bob);
    waiting.catch(() => {});
    await queue.close();
    await clock.advanceAsync(50);
    await expect(settledIn(waiting)).rejects.toMatchObject({ code: 'SAGE_RATELIMIT_CLOSED' });
    expect(queue.size).toBe(0);
  });

  test('closing asks for nothing more', async () => {
    const { queue, clock, server } = createLate([everyone]);
    const waiting = Array.from({ length: 5 }, () => queue.acquire(ada));
    for (const call of waiting) call.catch(() => {});
    await clock.advanceAsync(0);
    const { asked } = server;
    await queue.close();
    await clock.advanceAsync(10_000);
    expect(server.asked).toBe(asked);
  });
});

describe('who waits is woken', () => {
  const daily: Rule = { name: 'daily', scope: 'user', unit: 'tokens', limit: 100, per: 'calendar-day' };

  test('when the limit is raised', async () => {
    const { queue, limiter, clock } = create([daily]);
    await limiter.check(ada, { tokens: 100 });
    const waiting = queue.acquire(ada, { tokens: 50 });
    await clock.advanceAsync(10);
    limiter.set('daily', { limit: 200 });
    await clock.advanceAsync(0);
    expect(await settledIn(waiting)).toMatchObject({ allowed: true });
  });

  test('when the subject is made whole again', async () => {
    const { queue, limiter, clock } = create([daily]);
    await limiter.check(ada, { tokens: 100 });
    const waiting = queue.acquire(ada, { tokens: 50 });
    await clock.advanceAsync(10);
    await limiter.reset(ada);
    await clock.advanceAsync(0);
    expect(await settledIn(waiting)).toMatchObject({ allowed: true });
  });

  test('when a settlement gives something back', async () => {
    const { queue, limiter, clock } = create([daily]);
    const held = await limiter.reserve(ada, { tokens: 100 });
    const waiting = queue.acquire(ada, { tokens: 50 });
    await clock.advanceAsync(10);
    if (held.allowed) await held.settle({ tokens: 40 });
    await clock.advanceAsync(0);
    expect(await settledIn(waiting)).toMatchObject({ allowed: true });
  });

  test('when the time of a reservation that returns is over', async () => {
    const { queue, limiter, clock } = create([{ ...daily, onExpiry: 'return' }], { pollMs: 60_000 });
    const held = await limiter.reserve(ada, { tokens: 100 }, { ttlMs: 300, maxHoldMs: 300 });
    const waiting = queue.acquire(ada, { tokens: 50 });
    await clock.advanceAsync(700);
    expect(await settledIn(waiting)).toMatchObject({ allowed: true });
    expect(held.allowed && (await held.settle())).toMatchObject({ settled: false });
  });

  test('within ten polls of what another process gave back', async () => {
    const clock = createFakeClock();
    const server = createSharedStore(clock);
    const [mine, other] = [server.store, server.store].map((store) =>
      createRateLimiter({ rules: [daily], store, clock }),
    );
    if (mine === undefined || other === undefined) throw new TypeError('two limiters');
    const held = await other.reserve(ada, { tokens: 100 });
    const queue = createLimiterQueue({ limiter: mine, clock, pollMs: 100 });
    const waiting = queue.acquire(ada, { tokens: 50 });
    await clock.advanceAsync(10);
    if (held.allowed) await held.cancel();
    await clock.advanceAsync(1_000);
    expect(await settledIn(waiting)).toMatchObject({ allowed: true });
    await Promise.all([queue.close(), mine.close(), other.close()]);
  });

  test('who becomes the first in line tries at once, and may ask for less than who was', async () => {
    const { queue, limiter, clock } = create([{ ...everyone, burst: 10 }]);
    await limiter.check(ada, { requests: 9 });
    const large = queue.acquire(ada, { requests: 10 });
    await clock.advanceAsync(10);
    const small = queue.acquire(ada, { requests: 1 }, { priority: 0 });
    await clock.advanceAsync(0);
    expect(await settledIn(small)).toMatchObject({ allowed: true });
    await clock.advanceAsync(1_100);
    expect(await settledIn(large)).toMatchObject({ allowed: true });
  });
});

test('whichever way calls leave, no timer and no listener stays', async () => {
  const { queue, limiter, clock } = create([{ ...everyone, per: 'minute' }]);
  const before = clock.pending;
  const controller = new AbortController();
  const { signal } = controller;
  const calls = [1_000, 13_000, 20_000].map((maxWaitMs) => queue.acquire(ada, undefined, { maxWaitMs, signal }));
  const left = calls.map((call) => call.then(async (outcome) => outcome.allowed && outcome.settle()).catch(() => {}));
  await clock.advanceAsync(14_000);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  await Promise.all(left);
  expect(queue.size).toBe(0);
  expect(clock.pending).toBe(before);
  await limiter.close();
});

/** What a promise came to by now; it must not be pending any more. */
async function settledIn<T>(promise: Promise<T>): Promise<T | 'pending'> {
  return Promise.race([promise, new Promise<'pending'>((resolve) => setImmediate(() => resolve('pending')))]);
}

/** A queue before a store that decides at once and answers late. */
function createLate(rules: readonly Rule[], options: Partial<LimiterQueueOptions> = {}) {
  const clock = createFakeClock();
  const memory = createMemoryStore({ clock });
  const server = { answerAfterMs: 0, asked: 0 };
  const late = <T>(answer: T): Promise<T> =>
    new Promise((resolve) => {
      if (server.answerAfterMs === 0) resolve(answer);
      else clock.setTimer(() => resolve(answer), server.answerAfterMs);
    });
  const store: LimiterStore = {
    kind: 'late',
    decide(request) {
      server.asked++;
      return late(memory.decide(request));
    },
    settle: (request) => late(memory.settle(request)),
    extend: (request) => late(memory.extend(request)),
    reset: (asks) => late(memory.reset(asks)),
    snapshot: (all, limit) => late(memory.snapshot(all, limit)),
    close() {},
    [Symbol.asyncDispose]: async () => {},
  };
  const limiter = createRateLimiter({ rules, store, clock });
  return { queue: createLimiterQueue({ ...options, limiter, clock }), limiter, clock, server };
}

function create(rules: readonly Rule[], options: Partial<LimiterQueueOptions> = {}) {
  const clock = createFakeClock();
  const limiter = createRateLimiter({ rules, clock });
  const queue = createLimiterQueue({ ...options, limiter, clock });
  const startMs = clock.monotonicMs();
  const admitted: string[] = [];
  const outcomes = new Map<string, Reservation | Denied>();
  const errors = new Map<string, unknown>();
  const acquire = (name: string, subject: LimitSubject, acquireOptions: AcquireOptions = {}): void => {
    queue.acquire(subject, undefined, acquireOptions).then(
      (outcome) => {
        outcomes.set(name, outcome);
        if (outcome.allowed) admitted.push(`${name} ${clock.monotonicMs() - startMs}`);
      },
      (error: unknown) => errors.set(name, error),
    );
  };
  return { queue, limiter, clock, acquire, admitted, outcomes, errors };
}
