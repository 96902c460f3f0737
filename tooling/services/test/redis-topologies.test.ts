import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient, createCluster, createSentinel } from 'redis';
import { startRedis, startRedisCluster, startRedisSentinel, started } from '../src/index.js';
import type { RedisCluster, RedisSentinel } from '../src/index.js';
import { suiteFor, until } from './support.ts';

const probe = await startRedis({ fresh: true });
if (!('skipped' in probe)) await probe.stop();

suiteFor(probe)('redis of more than one process', () => {
  describe('a cluster', () => {
    let cluster: RedisCluster;
    beforeAll(async () => {
      cluster = started(await startRedisCluster());
    });
    afterAll(() => cluster.stop());

    test('spreads keys over its masters', async () => {
      const client = createCluster({ rootNodes: cluster.urls.map((url) => ({ url })) });
      await client.connect();
      const keys = Array.from({ length: 30 }, (_, index) => `key-${index}`);
      for (const key of keys) await client.set(key, key);
      for (const key of keys) expect(await client.get(key)).toBe(key);
      expect(client.masters).toHaveLength(3);
      client.destroy();

      const sizes = await Promise.all(
        cluster.urls.map(async (url) => {
          const node = await createClient({ url }).connect();
          const size = await node.dbSize();
          node.destroy();
          return size;
        }),
      );
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(30);
      expect(sizes.filter((size) => size > 0)).toHaveLength(3);
    });

    test('of fewer than three masters is refused', async () => {
      await expect(startRedisCluster({ nodes: 2 })).rejects.toThrow(RangeError);
    });
  });

  describe('a sentinel', () => {
    let set: RedisSentinel;
    beforeAll(async () => {
      set = started(await startRedisSentinel({ downAfterMs: 200 }));
    });
    afterAll(() => set.stop());

    test('promotes the replica when the primary is killed', async () => {
      const client = createSentinel({
        name: set.name,
        sentinelRootNodes: [{ host: '127.0.0.1', port: set.sentinel.port }],
      });
      client.on('error', () => {});
      await client.connect();
      await client.set('kept', 'yes');
      await client.destroy();

      const sentinel = await createClient({ url: set.sentinel.url, RESP: 2 }).connect();
      const primaryPort = async () => {
        const address = await sentinel.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', set.name]);
        return Array.isArray(address) ? Number(address[1]) : 0;
      };
      expect(await primaryPort()).toBe(set.primary.port);
      await set.primary.kill();
      await until(async () => (await primaryPort()) === set.replica.port);
      sentinel.destroy();
    });
  });
});
