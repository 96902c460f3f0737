import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { sources } from '@sage-adk/core';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import { compileRule } from '../../src/compile.ts';
import { createRateLimiter, type Decision, type Rule, usd } from '../../src/index.ts';
import { type GuardOptions, guardStore } from '../../src/stores/guarded-store.ts';
import { storeCases } from '../../src/testing/index.ts';
import { closeAfterTest, createGuarded, timed } from '../support/guarded.ts';
import { granted } from '../support/outcomes.ts';
import { createSharedStore, type Trouble } from '../support/shared-store.ts';

const ada = { user: 'ada' };
const user: Rule = { name: 'user', scope: 'user', limit: 8, per: 'minute', onStoreError: 'local' };
const slots: Rule = { name: 'slots', scope: 'user', unit: 'concurrency', limit: 4 };
const budget: Rule = { name: 'budget', scope: 'user', unit: 'cost', limit: usd(1), per: 'hour' };
const troubles: readonly (readonly [string, Trouble])[] = [
  ['refused', { name: 'refused' }],
  ['stalled', { name: 'stalled', carriesOut: false }],
  ['slow', { name: 'slow', ms: 10_000 }],
];

describe('the guard keeps the store contract', () => {
  // A snapshot shows the hashes that the store keeps.
  const cases = storeCases.filter(({ name }) => !name.includes('snapshot'));
  for (const { name, run } of cases) {
    test(name, () =>
      run(async (startUs) => {
        const clock = createFakeClock({ nowMs: startUs / 1_000 });
        const { store } = createSharedStore(clock);
        return { store: guardStore(store, { clock, denyCacheMs: 0 }), advanceUs: (us) => clock.advance(us / 1_000) };
      }),
    );
  }
});

describe('a store that is there', () => {
  test('is asked for every decision, with hashes for keys', async () => {
    const { limiter, shared } = create([user]);
    expect(await limiter.check(ada)).toMatchObject({ allowed: true, remaining: 7, source: 'store', degraded: false });
    expect((await limiter.check(ada)).rules[0]?.key).toBe('ada');
    expect(JSON.stringify(shared.server.image())).not.toContain('"ada"');
    expect(shared.calls).toEqual(['consume', 'consume']);
  });

  test('RL22: each decision is an operation', async () => {
    using recorder = recordOperations();
    const { limiter } = create([{ ...user, limit: 1 }]);
    await limiter.check(ada);
    await limiter.check(ada);
    expect(recorder.named('limiter.check').map(({ start, attributes }) => ({ ...start, ...attributes }))).toEqual([
      { store: 'fake', rules: 1, allowed: true, degraded: false },
      { store: 'fake', rules: 1, allowed: false, degraded: false, rule: 'user' },
    ]);
  });

  test('is not asked again about a denial that lasts', async () => {
    const { limiter, shared, clock } = create([user]);
    await limiter.check(ada, { requests: 8 });
    expect(await limiter.check(ada, { requests: 2 })).toMatchObject({ allowed: false, source: 'store' });
    expect(await limiter.check(ada, { requests: 3 })).toMatchObject({
      allowed: false,
      source: 'deny-cache',
      degraded: false,
      retryAfterMs: 1_000,
    });
    expect(await limiter.check({ user: 'bob' })).toMatchObject({ allowed: true });
    expect(await limiter.check(ada, { requests: 1 })).toMatchObject({ allowed: false, source: 'store' });
    expect(shared.calls).toHaveLength(4);
    clock.advance(1_000);
    expect(await limiter.check(ada)).toMatchObject({ source: 'store' });
  });

  test('a denial is forgotten when something came back', async () => {
    const { limiter } = create([{ ...user, strategy: 'sliding-window' }]);
    const reservation = granted(await limiter.reserve(ada, { requests: 8 }));
    expect((await limiter.check(ada)).allowed).toBe(false);
    await reservation.cancel();
    expect(await limiter.check(ada)).toMatchObject({ allowed: true, source: 'store' });
  });
});

describe('a remembered denial', () => {
  const tight: Rule = { ...user, limit: 2, strategy: 'sliding-window' };

  test('is forgotten when the limit is changed', async () => {
    const { limiter } = create([tight]);
    await limiter.check(ada, { requests: 2 });
    expect((await limiter.check(ada)).allowed).toBe(false);
    limiter.set('user', { limit: 5 });
    expect(await limiter.check(ada)).toMatchObject({ allowed: true, source: 'store', limit: 5 });
  });

  test('is forgotten when the quota is made whole, and by who was denied in the meantime', async () => {
    const { limiter, shared, clock } = create([tight]);
    await limiter.check(ada, { requests: 2 });
    shared.trouble = { name: 'slow', ms: 10 };
    const reset = limiter.reset(ada);
    shared.trouble = { name: 'none' };
    // Denied after the reset was asked for, before it was made.
    expect((await limiter.check(ada)).allowed).toBe(false);
    await timed(clock, reset);
    expect(await limiter.check(ada)).toMatchObject({ allowed: true, source: 'store' });
  });

  test('is forgotten when what was reserved came back, and by who was denied in the meantime', async () => {
    const { limiter, shared, clock } = create([tight]);
    const reservation = granted(await limiter.reserve(ada, { requests: 2 }));
    shared.trouble = { name: 'slow', ms: 10 };
    const cancelled = reservation.cancel();
    shared.trouble = { name: 'none' };
    expect((await limiter.check(ada)).allowed).toBe(false);
    await timed(clock, Promise.resolve(cancelled));
    expect(await limiter.check(ada)).toMatchObject({ allowed: true, source: 'store' });
  });

  test('is none for a reservation that was made before', async () => {
    const { limiter } = create([tight]);
    const options = { idempotencyKey: 'one' };
    const first = granted(await limiter.reserve(ada, { requests: 2 }, options));
    expect((await limiter.reserve(ada, { requests: 2 })).allowed).toBe(false);
    const again = granted(await limiter.reserve(ada, { requests: 2 }, options));
    expect([again.id, again.decision.source]).toEqual([first.id, 'store']);
  });

  test('of a queue is none for who waits longer', async () => {
    const { limiter, clock } = create([{ ...user, strategy: 'leaky-bucket', limit: 60, maxQueue: 5 }]);
    expect((await limiter.reserve(ada)).allowed).toBe(true);
    expect((await limiter.reserve(ada)).allowed).toBe(false);
    const patient = limiter.reserve(ada, undefined, { maxWaitMs: 5_000 });
    await clock.advanceAsync(1_000);
    expect((await patient).allowed).toBe(true);
  });
});

describe.each(troubles)('a store that is %s', (_name, trouble) => {
  test('leaves every decision to the policy of its rules, within the deadline', async () => {
    const { limiter, shared, clock } = create([
      { ...user, name: 'open', onStoreError: 'open' },
      { ...user, name: 'shadow', mode: 'shadow', onStoreError: 'closed' },
    ]);
    shared.trouble = trouble;
    const [tookMs, decision] = await timed(clock, limiter.check(ada, { requests: 5 }));
    expect(tookMs).toBeLessThanOrEqual(50);
    expect(decision).toMatchObject({ allowed: true, source: 'policy', degraded: true });
  });

  test('closed: denies, and tells when it asks again', async () => {
    const { limiter, shared, clock } = create([user, budget]);
    shared.trouble = trouble;
    const [tookMs, decision] = await timed(clock, limiter.check(ada, { costNanoUsd: 1n }));
    expect(tookMs).toBeLessThanOrEqual(50);
    expect(decision).toMatchObject({ allowed: false, source: 'policy', degraded: true, retryAfterMs: 250 });
    expect(decision.violated.map(({ rule }) => rule)).toEqual(['budget']);
  });

  test('local: counts in this process, with its share of the limit', async () => {
    const { limiter, shared, clock } = create([user], { instances: 4 });
    shared.trouble = trouble;
    const decisions: Decision[] = [];
    for (let n = 0; n < 4; n++) decisions.push((await timed(clock, limiter.check(ada)))[1]);
    expect(decisions.map(({ allowed, source }) => [allowed, source])).toEqual([
      [true, 'local'],
      [true, 'local'],
      [false, 'local'],
      [false, 'local'],
    ]);
    // Two requests a minute are a quarter of eight.
    expect(decisions[2]?.retryAfterMs).toBeGreaterThan(29_000);
  });

  test('is not waited for once it counts as away, and is back within a second', async () => {
    const { limiter, shared, clock } = create([{ ...user, limit: 1_000, onStoreError: 'open' }]);
    shared.trouble = trouble;
    for (let n = 0; n < 3; n++) await timed(clock, limiter.check(ada));
    const [tookMs] = await timed(clock, limiter.check(ada));
    expect(tookMs).toBe(0);
    shared.trouble = { name: 'none' };
    await clock.advanceAsync(1_000);
    expect(await limiter.check(ada)).toMatchObject({ source: 'store', degraded: false });
  });

  test('lets reservations go on, and what they used is settled where it was taken', async () => {
    const { limiter, shared, clock } = create([user, slots], { instances: 2 });
    const before = granted(await limiter.reserve(ada));
    shared.trouble = trouble;
    const during = granted((await timed(clock, limiter.reserve(ada)))[1]);
    const [, settled] = await timed(clock, before.settle());
    expect(settled).toEqual({ settled: true, overspent: [] });
    expect(remainingOf(shared.server)).toEqual(['slots 3', 'user 7']);
    shared.trouble = { name: 'none' };
    await clock.advanceAsync(1_000);
    expect(remainingOf(shared.server)).toEqual(['user 7']);
    expect(await during.settle()).toMatchObject({ settled: true });
    expect(remainingOf(shared.server)).toEqual(['user 7']);
  });
});

describe('a call whose answer was lost', () => {
  test('gives back what it may have reserved', async () => {
    const { limiter, shared, clock } = create([slots, budget]);
    shared.trouble = { name: 'stalled', carriesOut: true };
    const [, outcome] = await timed(clock, limiter.reserve(ada, { costNanoUsd: 500_000_000n }));
    expect(outcome.allowed).toBe(false);
    expect(remainingOf(shared.server)).toEqual(['budget 500000000', 'slots 3']);
    shared.trouble = { name: 'none' };
    await clock.advanceAsync(1_000);
    expect(remainingOf(shared.server)).toEqual([]);
  });

  describe('of a reservation that its caller named', () => {
    const [cost, options] = [{ costNanoUsd: 500_000_000n }, { idempotencyKey: 'one' }];

    test('is not made up for: made again it is the same, and its slot comes back in its time', async () => {
      const { limiter, shared, clock } = create([slots, budget]);
      shared.trouble = { name: 'stalled', carriesOut: true };
      await timed(clock, limiter.reserve(ada, cost, options));
      shared.trouble = { name: 'none' };
      await clock.advanceAsync(1_000);
      expect(remainingOf(shared.server)).toEqual(['budget 500000000', 'slots 3']);
      const again = granted(await limiter.reserve(ada, cost, options));
      expect(await again.settle({ costNanoUsd: 100_000_000n })).toMatchObject({ settled: true });
      expect(remainingOf(shared.server)).toEqual(['budget 900000000']);
    });

    test('takes nothing from who holds it', async () => {
      const { limiter, shared, clock } = create([slots, budget]);
      const first = granted(await limiter.reserve(ada, cost, options));
      for (const carriesOut of [true, false]) {
        shared.trouble = { name: 'stalled', carriesOut };
        await timed(clock, limiter.reserve(ada, cost, options));
        shared.trouble = { name: 'none' };
        await clock.advanceAsync(1_000);
        expect(remainingOf(shared.server)).toEqual(['budget 500000000', 'slots 3']);
      }
      expect(await first.settle()).toMatchObject({ settled: true });
      expect(remainingOf(shared.server)).toEqual(['budget 500000000']);
    });

    test('is settled before the name is used again', async () => {
      const { limiter, shared, clock } = create([budget]);
      const first = granted(await limiter.reserve(ada, cost, options));
      shared.trouble = { name: 'refused' };
      for (let n = 0; n < 3; n++) await limiter.check(ada);
      expect(await first.settle()).toMatchObject({ settled: true });
      shared.trouble = { name: 'none' };
      await clock.advanceAsync(200);
      const [, again] = await timed(clock, limiter.reserve(ada, cost, options));
      await clock.advanceAsync(1_000);
      if (again.allowed) await again.cancel();
      expect(remainingOf(shared.server)).toEqual(['budget 500000000']);
    });
  });

  test('settles once, however often it is tried', async () => {
    const { limiter, shared, clock } = create([budget]);
    const reservation = granted(await limiter.reserve(ada, { costNanoUsd: 600_000_000n }));
    shared.trouble = { name: 'stalled', carriesOut: true };
    await timed(clock, reservation.settle({ costNanoUsd: 800_000_000n }));
    shared.trouble = { name: 'none' };
    await clock.advanceAsync(5_000);
    expect(remainingOf(shared.server)).toEqual(['budget 200000000']);
    expect(counters()).toMatchObject({ pending: 0, dropped: 0 });
  });
});

test('what was spent while the store was away is charged when it is back', async () => {
  const { limiter, shared, clock } = create([{ ...user, strategy: 'fixed-window', per: 'hour' }]);
  shared.trouble = { name: 'refused' };
  await limiter.charge(ada, { requests: 3 });
  shared.trouble = { name: 'none' };
  await clock.advanceAsync(1_000);
  expect(remainingOf(shared.server)).toEqual(['user 5']);
});

test('a charge that was carried out, and its answer lost with the connection, is not made again', async () => {
  const { limiter, shared, clock } = create([{ ...user, limit: 100, strategy: 'fixed-window', per: 'hour' }]);
  shared.trouble = { name: 'cut' };
  await limiter.charge(ada, { requests: 3 });
  shared.trouble = { name: 'none' };
  await clock.advanceAsync(2_000);
  expect(remainingOf(shared.server)).toEqual(['user 97']);
});

test.each([
  ['was carried out', true],
  ['was not', false],
])('a charge that got no answer is made once at most, though it %s', async (_how, carriesOut) => {
  const { limiter, shared, clock } = create([{ ...user, limit: 100, strategy: 'fixed-window', per: 'hour' }]);
  await limiter.charge(ada, { requests: 1 });
  shared.trouble = { name: 'stalled', carriesOut };
  await timed(clock, limiter.charge(ada, { requests: 3 }));
  await clock.advanceAsync(2_000);
  shared.trouble = { name: 'none' };
  await clock.advanceAsync(2_000);
  expect(remainingOf(shared.server)).toEqual([carriesOut ? 'user 96' : 'user 99']);
});

test('of charges that wait for a store only those are sent that it answers', async () => {
  const { limiter, shared, clock } = create([{ ...user, limit: 100, strategy: 'fixed-window', per: 'hour' }]);
  shared.trouble = { name: 'refused' };
  for (let n = 0; n < 20; n++) await limiter.charge(ada, { requests: 1 });
  shared.trouble = { name: 'stalled', carriesOut: true };
  await clock.advanceAsync(5_000);
  shared.trouble = { name: 'none' };
  await clock.advanceAsync(2_000);
  expect(remainingOf(shared.server)).toEqual(['user 80']);
});

test('an answer that lies behind a blocked event loop came in time', async () => {
  const shared = createSharedStore((await import('@sage-adk/core')).systemClock);
  const limiter = createRateLimiter({ rules: [user], store: guardStore(shared.store, { deadlineMs: 1 }) });
  closeAfterTest(limiter);
  shared.trouble = { name: 'none' };
  const pending = limiter.check(ada);
  const untilMs = performance.now() + 5;
  while (performance.now() < untilMs);
  expect(await pending).toMatchObject({ source: 'store' });
});

test('a process that waits for nothing but an answer gets it within the deadline', async () => {
  const program = fileURLToPath(new URL('lone-process.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', program]);
  expect(stdout).toBe('local\n');
});

test('close settles what is left, and waits no longer than a deadline', async () => {
  const { limiter, shared, clock } = create([budget]);
  const reservation = granted(await limiter.reserve(ada, { costNanoUsd: 600_000_000n }));
  shared.trouble = { name: 'refused' };
  await reservation.cancel();
  shared.trouble = { name: 'none' };
  await timed(clock, limiter.close());
  expect(remainingOf(shared.server)).toEqual([]);
  expect(sources().some(({ name }) => name === 'limiter.guard.fake')).toBe(false);
});

test('what is settled after close is not tried again', async () => {
  const { limiter, shared, clock } = create([budget]);
  const reservation = granted(await limiter.reserve(ada, { costNanoUsd: 600_000_000n }));
  await limiter.close();
  shared.trouble = { name: 'refused' };
  expect(await reservation.settle()).toMatchObject({ settled: true });
  expect(clock.pending).toBe(0);
});

test('checkSync says that the store does not answer at once', () => {
  const { limiter } = create([user]);
  expect(() => limiter.checkSync(ada)).toThrow(expect.objectContaining({ code: 'SAGE_RATELIMIT_NOT_SYNC' }));
});

function create(rules: readonly Rule[], options?: GuardOptions) {
  const made = createGuarded(rules, options);
  rulesOf.set(made.shared.server, rules);
  return made;
}

const rulesOf = new WeakMap<object, readonly Rule[]>();

/** What is left of every rule and key that is not whole, on the server. */
function remainingOf(server: ReturnType<typeof createSharedStore>['server']): string[] {
  const { states } = server.image() as { states: readonly [string, unknown][] };
  expect(states.length).toBeGreaterThan(0);
  return server
    .snapshot(known(server), 100)
    .map(({ rule, remaining }) => `${rule.name} ${remaining}`)
    .sort();
}

function known(server: object) {
  return (rulesOf.get(server) ?? []).flatMap((rule) => compileRule(rule, 'user') ?? []);
}

function counters() {
  return sources()
    .find(({ name }) => name === 'limiter.guard.fake')
    ?.read();
}
