/** What becomes of reservations whose holder is gone, by the server's own time: what it keeps may end by itself. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import { createClient } from 'redis';
import { createRedisStore } from '../../../src/stores/redis/index.ts';
import { askOf, ruleOf, until } from './asks.ts';

describeWithService('redis', 'reservations that nobody settles', (url) => {
  const client = createClient({ url, database: 11 });
  const store = createRedisStore({ client, deadlineMs: 5_000 });
  const hash = '{sage:limiter}:s:user:ada';
  const set = '{sage:limiter}:r:user:ada';

  beforeAll(async () => {
    await client.connect();
  });
  afterAll(async () => {
    await client.flushDb();
    await client.close();
  });

  test('a slot of a dead process and what it held come back, though checks kept the hash longer than the set', async () => {
    const slot = askOf(ruleOf({ name: 'slot', unit: 'concurrency', limit: 1 }));
    const back = askOf(ruleOf({ name: 'back', strategy: 'fixed-window', per: 'day', onExpiry: 'return' }), 3);
    const long = askOf(ruleOf({ name: 'long', per: 'day' }));
    const asks = [slot, back];
    const reserve = { kind: 'reserve', asks, id: 'd'.repeat(22), ttlUs: 20_000, maxWaitUs: 0 } as const;
    await store.decide(reserve);
    await store.decide({ kind: 'consume', asks: [long] });
    // The set is kept a second longer than what lies in it, or a day, for the window. Not to wait so long:
    await client.pExpire(set, 100);
    await until(async () => (await client.exists(set)) === 0);

    expect(await client.exists(hash)).toBe(1);
    const { findings } = await store.decide({ kind: 'peek', asks });
    expect(findings.map(({ remaining }) => remaining)).toEqual([1, 5]);
    expect(Object.keys(await client.hGetAll(hash)).filter((field) => field.startsWith('/'))).toEqual([]);
  });

  test('a lease extended by what is no time is over, and its place is forgotten in time', async () => {
    const asks = [askOf(ruleOf({ name: 'slot', unit: 'concurrency', limit: 1 }, 'odd'))];
    for (const ttlUs of [Number.NaN, Number.NEGATIVE_INFINITY, -1]) {
      const id = `${ttlUs}`.padEnd(22, '_');
      expect((await store.decide({ kind: 'reserve', asks, id, ttlUs: 60e6, maxWaitUs: 0 })).allowed).toBe(true);
      expect(await store.extend({ id, asks, ttlUs })).toBe(true);
    }
    expect((await store.decide({ kind: 'peek', asks })).allowed).toBe(true);
    expect(await client.pTTL('{sage:limiter}:s:odd:ada')).toBeGreaterThan(0);
  });
});
