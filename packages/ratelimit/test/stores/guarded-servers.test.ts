/** A guard before real servers that are killed, stalled and slow while they are asked. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  describeWithService,
  leastOf,
  msUntil,
  type Server,
  started,
  startPostgres,
  startRedis,
} from '@tooling/services';
import { sources } from '@sage-adk/core';
import { createClient } from 'redis';
import { createRateLimiter, type Decision, type RateLimiter, type Rule } from '../../src/index.ts';
import { guardStore } from '../../src/stores/guarded-store.ts';
import { migratePostgresStore } from '../../src/stores/postgres/migrate.ts';
import { createPostgresStore } from '../../src/stores/postgres/postgres-store.ts';
import { createRedisStore } from '../../src/stores/redis/index.ts';
import type { LimiterStore } from '../../src/stores/store.ts';
import { type SlowProxy, startSlowProxy } from '../support/slow-proxy.ts';
import { drivers } from './postgres/drivers.ts';

const deadlineMs = 50;
const bandMs = 10;
const times = 60;
const shareOfLimit = 20;
const policies = ['open', 'closed', 'local'] as const;

interface Victim {
  readonly server: Server;
  /** What the client of the stores is connected through. */
  readonly proxy: SlowProxy;
  readonly store: () => LimiterStore;
  close(): Promise<void>;
}

const victims: readonly (readonly ['redis' | 'postgres', () => Promise<Victim>])[] = [
  ['redis', startRedisVictim],
  ['postgres', startPostgresVictim],
];

const troubles: readonly (readonly [string, (victim: Victim) => Promise<() => Promise<void>>])[] = [
  [
    'killed',
    async ({ server }) => {
      await server.kill();
      return () => server.restart();
    },
  ],
  [
    'stalled',
    async ({ server }) => {
      await server.pause();
      return () => server.resume();
    },
  ],
  [
    'slow',
    async ({ proxy }) => {
      proxy.delayMs = 4 * deadlineMs;
      return async () => {
        proxy.delayMs = 0;
      };
    },
  ],
];

describe.each(victims)('a guard before %s', (service, start) => {
  describeWithService(service, 'that fails', () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    let victim: Victim;

    beforeAll(async () => {
      process.on('unhandledRejection', note);
      victim = await start();
    });
    afterAll(async () => {
      process.off('unhandledRejection', note);
      await victim.close();
    });

    test.each(troubles)(
      'RL25: %s: every decision is in time and by its policy, and the store decides again within a second',
      async (name, begin) => {
        const limiters = policies.map((policy) => [policy, limiterOf(`${service}-${name}`, policy, victim)] as const);
        await msUntilSettled(limiters);
        const end = await begin(victim);
        const seen = await Promise.all(
          limiters.map(async ([policy, limiter]) => [policy, await ask(limiter, times)] as const),
        );
        await end();
        const againMs = await leastOf(1_000, async (round) => {
          if (round > 0) await troubleAgain(limiters, () => begin(victim));
          return msUntilSettled(limiters);
        });
        expect(againMs).toBeLessThan(1_000);

        for (const [policy, asked] of seen) {
          expect(asked.filter(({ inTime }) => !inTime)).toEqual([]);
          expect(asked.filter(({ decision }) => !decision.degraded)).toEqual([]);
          const allowed = asked.filter(({ decision }) => decision.allowed).length;
          const expected = { open: times, closed: 0, local: shareOfLimit };
          expect([policy, allowed]).toEqual([policy, expected[policy]]);
        }
        expect(unhandled).toEqual([]);
        await Promise.all(limiters.map(([, limiter]) => limiter.close()));
      },
      180_000,
    );

    test('a charge whose connection breaks before its answer comes is made once', async () => {
      const limiter = limiterOf(`${service}-cut`, 'open', victim);
      await msUntilSettled([['open', limiter]]);
      // So that Redis knows the script: what is cut is no question for it.
      await limiter.charge({ user: 'bob' }, { requests: 1 });
      victim.proxy.cuts = true;
      expect((await limiter.charge({ user: 'ada' }, { requests: 3 })).degraded).toBe(true);
      victim.proxy.cuts = false;
      await msUntilSettled([['open', limiter]]);
      await msUntil(() => pendingOf(service) === 0);
      expect((await limiter.peek({ user: 'ada' })).remaining).toBe(2 * shareOfLimit - 3);
      await limiter.close();
    });
  });
});

type Limiters = readonly (readonly [string, RateLimiter])[];

interface Asked {
  readonly decision: Decision;
  /** Whether it was there before a timer that is due a little later than its deadline. */
  readonly inTime: boolean;
}

function limiterOf(name: string, onStoreError: Rule['onStoreError'] & string, { store }: Victim): RateLimiter {
  const rule: Rule = {
    name: `${name}-${onStoreError}`,
    scope: 'user',
    limit: 2 * shareOfLimit,
    per: 'day',
    strategy: 'fixed-window',
    onStoreError,
  };
  return createRateLimiter({ rules: [rule], store: guardStore(store(), { deadlineMs, instances: 2 }) });
}

/** Asks so often, each 5 ms. */
async function ask(limiter: RateLimiter, times: number): Promise<readonly Asked[]> {
  const asked: Promise<Asked>[] = [];
  for (let n = 0; n < times; n++) {
    asked.push(askOnce(limiter));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return Promise.all(asked);
}

/** On a machine that is busy all timers are late; their order is not. */
async function askOnce(limiter: RateLimiter): Promise<Asked> {
  const pending = limiter.check({ user: 'ada' });
  let late = false;
  const timer = setTimeout(() => setImmediate(() => setImmediate(() => (late = true))), deadlineMs + bandMs);
  const decision = await pending;
  clearTimeout(timer);
  return { decision, inTime: !late };
}

function pendingOf(service: string): number {
  const guards = sources().filter(({ name }) => name === `limiter.guard.${service}`);
  return guards.reduce((sum, guard) => sum + (guard.read()['pending'] ?? 0), 0);
}

/** How long it takes until the store decides for all of them: ms. */
async function msUntilSettled(limiters: Limiters): Promise<number> {
  const settled = async (limiter: RateLimiter) => !(await limiter.check({ user: 'ada' }, { requests: 0 })).degraded;
  return Math.max(...(await Promise.all(limiters.map(([, limiter]) => msUntil(() => settled(limiter))))));
}

/** The same trouble once more, until all of them have noticed it. */
async function troubleAgain(limiters: Limiters, begin: () => Promise<() => Promise<void>>): Promise<void> {
  const end = await begin();
  await Promise.all(limiters.map(([, limiter]) => ask(limiter, 20)));
  await end();
}

async function startRedisVictim(): Promise<Victim> {
  const server = started(await startRedis({ fresh: true }));
  const proxy = await startSlowProxy(server.port);
  const url = `redis://127.0.0.1:${proxy.port}`;
  const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: 20 } });
  client.on('error', () => {});
  await client.connect();
  return {
    server,
    proxy,
    store: () => createRedisStore({ client }),
    async close() {
      client.destroy();
      proxy.close();
      await server.stop();
    },
  };
}

async function startPostgresVictim(): Promise<Victim> {
  const server = started(await startPostgres({ fresh: true }));
  const proxy = await startSlowProxy(server.port);
  const url = new URL(server.url);
  url.port = String(proxy.port);
  const opened = drivers[0].open(url.href, 4);
  await migratePostgresStore(opened.client);
  return {
    server,
    proxy,
    store: () => createPostgresStore({ client: opened.client }),
    async close() {
      await opened.close();
      proxy.close();
      await server.stop();
    },
  };
}
