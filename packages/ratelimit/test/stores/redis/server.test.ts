/** The Redis store on one server: what it keeps there, and what happens when the server fails. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  behindTimer,
  describeWithService,
  leastOf,
  msUntil,
  type Server,
  startRedis,
  started,
} from '@tooling/services';
import { createClient } from 'redis';
import { createRedisStore } from '../../../src/stores/redis/index.ts';
import type { Answer, LimiterStore } from '../../../src/stores/store.ts';
import { askOf, ruleOf, until } from './asks.ts';

const deadlineMs = 50;
const patient = { deadlineMs: 5_000 };

describe('options', () => {
  const client = { isReady: false, evalSha: async () => 0, eval: async () => 0 };

  test('a prefix or a tag that would break keys is refused', () => {
    expect(() => createRedisStore({ client, prefix: 'a}b' })).toThrow('prefix');
    expect(() => createRedisStore({ client, tag: '' })).toThrow('tag');
    expect(() => createRedisStore({ client, deadlineMs: 0 })).toThrow('deadlineMs');
  });

  test('without a connection every call fails at once and nothing is sent', async () => {
    const store = createRedisStore({ client });

    await expect(store.decide({ kind: 'peek', asks: [askOf(ruleOf())] })).rejects.toMatchObject({
      code: 'SAGE_REDIS_NOT_READY',
    });
  });
});

describeWithService('redis', 'what the store keeps', (url) => {
  const client = createClient({ url, database: 3 });
  const store = createRedisStore({ client, ...patient });

  beforeAll(async () => {
    await client.connect();
  });
  afterAll(async () => {
    await client.flushDb();
    await client.close();
  });

  test('all keys have one hash tag, and the rules of a subject share a hash', async () => {
    const asks = [
      askOf(ruleOf({ name: 'a' })),
      askOf(ruleOf({ name: 'b' })),
      askOf(ruleOf({ name: 'c' }, 'global'), 1, ''),
    ];
    await store.decide({ kind: 'reserve', asks, id: 'x'.repeat(22), ttlUs: 1e6, maxWaitUs: 0 });

    expect((await client.keys('*')).toSorted()).toEqual([
      '{sage:limiter}:r:global:',
      '{sage:limiter}:r:user:ada',
      '{sage:limiter}:s:global:',
      '{sage:limiter}:s:user:ada',
    ]);
  });

  test('the names of keys are bounded, whatever a space is called', async () => {
    await store.decide({ kind: 'consume', asks: [askOf(ruleOf({}, 'ß:'.repeat(500)), 1, 'k'.repeat(75))] });

    const lengths = (await client.keys('*')).map((key) => key.length);
    expect(Math.max(...lengths)).toBeLessThan(200);
  });

  test('checks of one turn are one call, and one that the server refuses takes none of the others with it', async () => {
    const calls: number[] = [];
    const counted = {
      isReady: true,
      evalSha: (sha: string, options: { keys: string[]; arguments: string[] }) => {
        calls.push(options.keys.length);
        return client.evalSha(sha, options);
      },
      eval: (lua: string, options: { keys: string[]; arguments: string[] }) => client.eval(lua, options),
    };
    const together = createRedisStore({ client: counted, tag: 'together', ...patient });
    const ask = (key: string) => askOf(ruleOf({ limit: 2 }, 'together'), 1, key);
    await client.set('{sage:together}:s:together:broken', 'no hash');
    await together.decide({ kind: 'peek', asks: [ask('first')] });
    calls.length = 0;
    const answers = await Promise.allSettled(
      ['a', 'broken', 'a', 'b', 'a'].map(async (key) => together.decide({ kind: 'consume', asks: [ask(key)] })),
    );

    expect(answers.map((each) => (each.status === 'fulfilled' ? each.value.allowed : 'refused'))).toEqual([
      true,
      'refused',
      true,
      true,
      false,
    ]);
    // The second asks for the one alone.
    expect(calls).toEqual([5, 2]);
  });

  test('a key that counts no more vanishes by itself', async () => {
    const rule = ruleOf({ per: { ms: 1 } }, 'short');
    await store.decide({ kind: 'consume', asks: [askOf(rule)] });

    expect(await client.pTTL('{sage:limiter}:s:short:ada')).toBeGreaterThan(0);
    await until(async () => (await client.exists('{sage:limiter}:s:short:ada')) === 0);
  });

  test('RL23: a denial leaves every byte as it was', async () => {
    const asks = [
      askOf(ruleOf({ name: 'wide', limit: 1_000 }, 'denied')),
      askOf(ruleOf({ name: 'full', limit: 1 }, 'denied')),
    ];
    const key = '{sage:limiter}:s:denied:ada';
    await store.decide({ kind: 'consume', asks });
    const before = await client.hGetAll(key);

    expect((await store.decide({ kind: 'consume', asks })).allowed).toBe(false);
    expect(await client.hGetAll(key)).toEqual(before);
  });

  test('scripts that the server has forgotten are sent again, and each call counts once', async () => {
    const rule = ruleOf({ limit: 100, strategy: 'fixed-window', anchored: true }, 'flushed');
    await client.scriptFlush();
    await Promise.all(Array.from({ length: 50 }, async () => store.decide({ kind: 'consume', asks: [askOf(rule)] })));

    expect(await remainingOf(store.decide({ kind: 'peek', asks: [askOf(rule)] }))).toBe(50);
  });

  test('a snapshot finds what is kept among thousands of other keys, and no more rows than asked for', async () => {
    const rule = ruleOf({ name: 'listed' }, 'listed');
    await Promise.all(Array.from({ length: 3_000 }, (_, index) => client.set(`other:${index}`, '1')));
    for (let index = 0; index < 20; index++) {
      await store.decide({ kind: 'consume', asks: [askOf(rule, 2, `user:${index}`)] });
    }

    const rows = await store.snapshot([rule], 100);
    expect(rows.map(({ key }) => key).toSorted()).toEqual(Array.from({ length: 20 }, (_, n) => `user:${n}`).toSorted());
    expect(new Set(rows.map(({ remaining }) => remaining))).toEqual(new Set([3]));
    expect(await store.snapshot([rule], 7)).toHaveLength(7);
  });

  test('tags do not see each other', async () => {
    const other = createRedisStore({ client, tag: 'tenant-2', ...patient });
    const asks = [askOf(ruleOf({ limit: 1 }, 'tagged'))];

    expect((await store.decide({ kind: 'consume', asks })).allowed).toBe(true);
    expect((await other.decide({ kind: 'consume', asks })).allowed).toBe(true);
    expect((await store.decide({ kind: 'consume', asks })).allowed).toBe(false);
  });
});

describeWithService('redis', 'a server that fails', () => {
  const rule = ruleOf({ limit: 1e6, per: 'hour' });
  const asks = [askOf(rule)];
  let server: Server;
  let client: ReturnType<typeof createClient>;
  let store: LimiterStore;

  beforeAll(async () => {
    server = started(await startRedis({ fresh: true, args: ['--appendonly', 'yes', '--appendfsync', 'always'] }));
    client = createClient({ url: server.url, disableOfflineQueue: true, socket: { reconnectStrategy: 20 } });
    client.on('error', () => {});
    await client.connect();
    store = createRedisStore({ client, deadlineMs });
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });

  test('RL25: a stalled server is answered for within the deadline and 10 ms, and decides again within a second', async () => {
    await until(() => decides(store));
    await expectInTime(
      () => server.pause(),
      () => server.resume(),
    );
  });

  test('RL25: a slow server is answered for within the deadline and 10 ms, and decides again within a second', async () => {
    const other = client.duplicate();
    await other.connect();
    let lateMs = Number.POSITIVE_INFINITY;
    try {
      await until(() => decides(store));
      const againMs = await leastOf(1_000, async () => {
        lateMs = await leastOf(10, async () => {
          await other.sendCommand(['CLIENT', 'PAUSE', '800', 'ALL']);
          const roundMs = await latestFailureMs(store);
          // Answered when the server takes commands again.
          await other.ping();
          return roundMs;
        });
        return msUntil(() => decides(store));
      });

      expect(lateMs).toBeLessThan(10);
      expect(againMs).toBeLessThan(1_000);
    } finally {
      await other.close();
    }
  });

  test('RL26: a killed server fails every decision at once, has forgotten nothing when it is back, and decides within a second', async () => {
    const kept = ruleOf({ name: 'kept', limit: 100, per: 'hour', strategy: 'fixed-window', anchored: true });
    const calm = createRedisStore({ client, ...patient });
    await until(() => decides(calm));
    await calm.decide({ kind: 'consume', asks: [askOf(kept, 40)] });
    await calm.decide({ kind: 'reserve', asks: [askOf(kept, 10)], id: 'r'.repeat(22), ttlUs: 6e8, maxWaitUs: 0 });

    await expectInTime(
      () => server.kill(),
      () => server.restart(),
    );
    await until(() => decides(calm));

    expect(await remainingOf(calm.decide({ kind: 'peek', asks: [askOf(kept)] }))).toBe(50);
    expect(await calm.settle({ id: 'r'.repeat(22), asks: [askOf(kept, 4)] })).toEqual({ settled: true, over: [0] });
    expect(await remainingOf(calm.decide({ kind: 'peek', asks: [askOf(kept)] }))).toBe(56);
  });

  /** Every decision fails at its deadline and 10 ms from when trouble begins, and the store decides within a second of its end. */
  async function expectInTime(begin: () => Promise<unknown>, end: () => Promise<unknown>): Promise<void> {
    let lateMs = Number.POSITIVE_INFINITY;
    const againMs = await leastOf(1_000, async () => {
      await begin();
      lateMs = Math.min(lateMs, await leastOf(10, () => latestFailureMs(store)));
      await end();
      return msUntil(() => decides(store));
    });
    expect(lateMs).toBeLessThan(10);
    expect(againMs).toBeLessThan(1_000);
  }

  async function decides(asked: LimiterStore): Promise<boolean> {
    return Promise.resolve(asked.decide({ kind: 'consume', asks })).then(
      () => true,
      () => false,
    );
  }

  /** How much later than a timer of the deadline the last of twenty decisions at once fails; endlessly where one does not. */
  async function latestFailureMs(asked: LimiterStore): Promise<number> {
    let ends: readonly PromiseSettledResult<Answer>[] = [];
    const lateMs = await behindTimer(deadlineMs, async () => {
      const asking = Array.from({ length: 20 }, async () => asked.decide({ kind: 'consume', asks }));
      ends = await Promise.allSettled(asking);
    });
    const failures = ends.filter((end) => end.status === 'rejected');
    for (const { reason } of failures) expect(reason).toMatchObject({ category: 'transient' });
    return failures.length === ends.length ? lateMs : Number.POSITIVE_INFINITY;
  }
});

async function remainingOf(answer: Answer | Promise<Answer>): Promise<number | undefined> {
  return (await answer).findings[0]?.remaining;
}
