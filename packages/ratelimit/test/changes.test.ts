/** Rules that are changed while the limiter runs, for all or for one subject. */
import { describe, expect, test } from '@jest/globals';
import { type Clock, type LimitSubject, sources } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { createRateLimiter, type Rule } from '../src/index.ts';
import { createMemoryStore } from '../src/stores/memory.ts';
import { createLimiter } from './support/limiters.ts';
import { granted } from './support/outcomes.ts';
import { createSharedStore } from './support/shared-store.ts';

const ada = { user: 'ada' };
const gold = { user: 'ada', tier: 'gold' };
const bucket: Rule = { name: 'bucket', scope: 'user', limit: 60, per: 'minute' };
const window: Rule = { ...bucket, name: 'window', strategy: 'fixed-window' };

describe('a rule that is changed for one subject', () => {
  test('keeps what was used; a bucket starts full', () => {
    const { limiter } = createLimiter(bucket, window);
    const left = (subject: LimitSubject) =>
      limiter.checkSync(subject, { requests: 0 }).rules.map((rule) => rule.remaining);
    limiter.checkSync(ada, { requests: 50 });
    for (const name of ['bucket', 'window']) limiter.set(name, { limit: 100 }, ada);
    expect([left(ada), left({ user: 'bob' })]).toEqual([
      [100, 50],
      [60, 60],
    ]);
    for (const name of ['bucket', 'window']) limiter.set(name, undefined, ada);
    expect(left(ada)).toEqual([10, 10]);
  });

  test('counts in its tier: what the tier has stays, what it used too, and other tiers see nothing of it', () => {
    const { limiter } = createLimiter({ ...window, tiers: { gold: { limit: 600 } } });
    const left = (subject: LimitSubject) => {
      const { limit, remaining } = limiter.checkSync(subject, { requests: 0 });
      return [limit, remaining];
    };
    limiter.checkSync(gold, { requests: 500 });
    limiter.set('window', { limit: 700 }, gold);
    expect([left(gold), left(ada), left({ ...gold, tier: 'lead' })]).toEqual([
      [700, 200],
      [60, 60],
      [60, 60],
    ]);
    limiter.set('window', { mode: 'shadow' }, gold);
    expect(left(gold)).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    limiter.set('window', { onStoreError: 'open' }, gold);
    expect(left(gold)).toEqual([600, 100]);
    limiter.set('window', { limit: 5 }, ada);
    limiter.set('window', undefined, gold);
    expect([left(gold), left(ada), left({ ...ada, tier: 'lead' })]).toEqual([
      [600, 100],
      [5, 5],
      [5, 5],
    ]);
  });

  test('a tier of any name is of the rules that have it alone', () => {
    const rules: Rule[] = [window, { ...window, name: 'wide', tiers: { constructor: { limit: 600 } } }];
    const limiter = createRateLimiter({ rules });
    const { rules: states } = limiter.checkSync({ ...ada, tier: 'constructor' });
    expect(states.map(({ limit }) => limit)).toEqual([60, 600]);
  });

  test.each([
    ['memory', (clock: Clock) => createMemoryStore({ clock })],
    ['a shared store', (clock: Clock) => createSharedStore(clock).store],
  ])('is shown by its own limit: %s', async (_name, make) => {
    const clock = createFakeClock();
    await using limiter = createRateLimiter({ rules: [bucket, window], store: make(clock), clock });
    for (const name of ['bucket', 'window']) limiter.set(name, { limit: 1_000 }, ada);
    for (const subject of [ada, { user: 'bob' }]) await limiter.check(subject, { requests: 50 });
    const rows = await limiter.snapshot();
    expect(rows.map(({ rule, key, limit, remaining }) => `${rule} ${key} ${remaining} of ${limit}`).toSorted()).toEqual(
      ['bucket ada 950 of 1000', 'bucket bob 10 of 60', 'window ada 950 of 1000', 'window bob 10 of 60'],
    );
  });

  test('keeps no state of what was changed before, once that counts no more', async () => {
    const { limiter, clock } = createLimiter(bucket);
    const keys = () =>
      sources()
        .find(({ name }) => name === 'limiter.memory')
        ?.read()['keys'];
    for (let n = 0; n < 200; n++) {
      limiter.set('bucket', { limit: 100 + n }, ada);
      limiter.checkSync(ada);
      clock.advance(300);
    }
    expect(keys()).toBeLessThan(10);
    const reservation = granted(await limiter.reserve(ada));
    for (let n = 0; n < 10; n++) {
      clock.advance(1_000);
      limiter.set('bucket', { limit: 500 + n }, ada);
      limiter.checkSync(ada);
    }
    limiter.set('bucket', { limit: 299 }, ada);
    await reservation.settle({ requests: 200 });
    expect(limiter.checkSync(ada, { requests: 0 }).remaining).toBe(100);
  });

  test('costs memory by the subjects that were changed, not by those that are known', () => {
    const { limiter } = createLimiter({ ...bucket, limit: 10_000 });
    for (let n = 0; n < 20_000; n++) limiter.checkSync({ user: `user ${n}` });
    const before = process.memoryUsage().arrayBuffers;
    for (let n = 1; n <= 100; n++) {
      limiter.set('bucket', { limit: 10_000 + n }, { user: 'user 19999' });
      limiter.checkSync({ user: 'user 19999' });
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });
});
