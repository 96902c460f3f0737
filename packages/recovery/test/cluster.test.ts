/** Each call of the Redis stores stays in one slot, so a cluster serves them. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWithService, startRedisCluster, started } from '@tooling/services';
import { createCluster } from 'redis';
import { redrive } from '../src/dead-letters/index.ts';
import { createRedisDeadLetters } from '../src/dead-letters/redis/index.ts';
import { createRedisStore } from '../src/storage/redis/index.ts';

describeWithService('redis', 'redis cluster', () => {
  let client: ReturnType<typeof createCluster>;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const servers = started(await startRedisCluster());
    stop = () => servers.stop();
    client = createCluster({ rootNodes: servers.urls.map((url) => ({ url })) });
    client.on('error', () => {});
    client.on('node-error', () => {});
    await client.connect();
  });
  afterAll(async () => {
    client.destroy();
    await stop();
  });

  test.each(['one', 'two', 'three', 'four'])(
    'ER10 ER16: entries and dead letters of the namespace %s',
    async (name) => {
      const storage = createRedisStore({ client, namespace: name, deadlineMs: 5_000 });
      const version = await storage.set('a', 1, { ttlMs: 60_000 });
      expect(await storage.set('a', 2, { ifVersion: version ?? '' })).toBeDefined();
      expect((await storage.get('a'))?.value).toBe(2);
      expect((await storage.list()).keys).toEqual(['a']);
      expect(await storage.delete('a')).toBe(true);

      const deadLetters = createRedisDeadLetters({ client, queue: name, deadlineMs: 5_000 });
      for (const dedupeKey of ['a', 'b', 'b'])
        await deadLetters.put({ source: 'inbox', dedupeKey, payload: 1, error: 'no' });
      const result = await redrive(deadLetters, async () => {}, { ratePerSecond: 1_000, limit: 1 });
      expect(result.succeeded).toBe(1);
      expect(await deadLetters.purge({ source: 'inbox' })).toBe(1);
      expect(await deadLetters.stats()).toEqual({ dead: 0, claimed: 0, parked: 0, dropped: 0 });
    },
  );
});
