/** Places in the queue: who takes one, and that none is lost. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { type LimitSubject, sources } from '@sage-adk/core';
import type { Priority } from '@sage-adk/core/queue';
import { createLimiterQueue, type LimiterQueueOptions } from '../../src/queue/limiter-queue.ts';
import { createLimiter } from '../support/limiters.ts';

const invalid = { code: 'SAGE_CORE_INVALID_OPTION' };

describe('a call that cannot wait takes no place', () => {
  test('for its priority is none, which it is told also where there is room', async () => {
    const { queue } = create();
    for (const priority of [9, 1.5, -1]) {
      await expect(queue.acquire({}, {}, { priority: priority as Priority })).rejects.toMatchObject(invalid);
    }
    expect((await queue.acquire({})).allowed).toBe(true);
  });

  test.each<[string, Partial<LimiterQueueOptions>]>([
    ['the weight of its tenant is none', { tenantWeight: (tenant) => (tenant === 'bad' ? 0 : 1) }],
    ['the weight of its user is none', { userWeight: (user) => (user.startsWith('bad') ? Number.NaN : 1) }],
  ])('for %s', async (_name, weights) => {
    const { queue, clock, size } = create({ ...weights, maxSize: 3 });
    const held = await queue.acquire({});
    const before = clock.pending;
    for (let n = 0; n < 5; n++) {
      await expect(queue.acquire({ user: `bad${n}`, tenant: 'bad' })).rejects.toMatchObject(invalid);
    }
    expect([size(), clock.pending]).toEqual([{ waiting: 0, gates: 0 }, before]);
    const good = queue.acquire({ user: 'ada', tenant: 'acme' });
    await clock.advanceAsync(10);
    if (held.allowed) await held.settle();
    await clock.advanceAsync(0);
    expect((await good).allowed).toBe(true);
    expect(size()).toEqual({ waiting: 0, gates: 0 });
  });

  test.each([
    [0, false],
    [1, false],
    [1, true],
  ])('for its weight throws at gate %i of its way, where others wait there: %s', async (gate, isCrowded) => {
    let asked = 0;
    const userWeight = (user: string): number => {
      if (user === 'ada' && asked++ === gate) throw new Error('no weight');
      return 1;
    };
    const { queue, clock, size, limiter } = create({ userWeight }, 1);
    await limiter.check({ user: 'ada' });
    // It waits for its own limit, and then for the slot.
    const call = queue.acquire({ user: 'ada' }).catch((error: unknown) => error);
    await clock.advanceAsync(10);
    const held = await limiter.reserve({ user: 'bob' });
    const other = isCrowded ? queue.acquire({ user: 'eve' }) : undefined;
    await clock.advanceAsync(2_000);
    expect(await call).toMatchObject({ message: 'no weight' });
    if (held.allowed) await held.settle();
    await clock.advanceAsync(0);
    expect((await other)?.allowed).toBe(isCrowded ? true : undefined);
    expect(size()).toEqual({ waiting: 0, gates: 0 });
  });
});

test('users with a space in their names share no places with others', async () => {
  const { queue, clock } = create({ maxPerUser: 1 });
  await queue.acquire({});
  const people: readonly LimitSubject[] = [
    { tenant: 'acme', user: 'x y' },
    { tenant: 'acme x', user: 'y' },
  ];
  const calls = people.map((subject) => queue.acquire(subject, {}, { maxWaitMs: 1_000 }));
  await clock.advanceAsync(10);
  expect(queue.size).toBe(2);
  await clock.advanceAsync(1_000);
  await Promise.all(calls);
});

test('a process that does nothing but wait in the queue goes on until it is admitted or denied', async () => {
  const program = fileURLToPath(new URL('waiting-process.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', program]);
  expect(stdout).toBe('true false\n');
});

/** A queue before one slot, and before a limit of each user where one is given; the options may name other bounds. */
function create(options: Partial<LimiterQueueOptions> = {}, limit = 100) {
  const { limiter, clock } = createLimiter(
    { name: 'slot', scope: 'global', unit: 'concurrency', limit: 1 },
    { name: 'user', scope: 'user', limit, per: 'second' },
  );
  const queue = createLimiterQueue({ ...options, limiter, clock });
  const size = () => {
    const { waiting, gates } =
      sources()
        .findLast(({ name }) => name === 'limiter.queue')
        ?.read() ?? {};
    return { waiting, gates };
  };
  return { queue, limiter, clock, size };
}
