/** The Redis store in a cluster of three nodes, and behind a sentinel. */
import { expect, test } from '@jest/globals';
import { describeWithService, startRedisCluster, startRedisSentinel, started } from '@tooling/services';
import { createClient, createCluster, createSentinel } from 'redis';
import { createRedisStore } from '../../../src/stores/redis/index.ts';
import type { LimiterStore } from '../../../src/stores/store.ts';
import { askOf, ruleOf, until } from './asks.ts';

const patient = { deadlineMs: 5_000 };
const asks = [
  askOf(ruleOf({ name: 'all', scope: 'global', limit: 10 }, 'global'), 1, ''),
  askOf(ruleOf({ name: 'user', limit: 3, strategy: 'sliding-window' })),
  askOf(ruleOf({ name: 'tenant', scope: 'tenant', limit: 100 }, 'tenant'), 1, 'acme'),
  askOf(ruleOf({ name: 'at-once', unit: 'concurrency', limit: 2 })),
];

describeWithService('redis', 'redis store in a cluster', () => {
  test('RL23: each tenant has a slot of its own, and a decision is whole in every slot', async () => {
    await using servers = started(await startRedisCluster());
    const cluster = createCluster({ rootNodes: servers.urls.map((url) => ({ url })) });
    await cluster.connect();
    try {
      for (const tag of ['a', 'b', 'c', 'd', 'e', 'f']) {
        const store = createRedisStore({ client: cluster, tag, ...patient });
        await admitsThree(store);
        expect(
          await store.snapshot(
            asks.map(({ rule }) => rule),
            10,
          ),
        ).toHaveLength(4);
        await store.reset(asks);
        await admitsOneMore(store);
      }
      const sizes = await Promise.all(cluster.masters.map(async (node) => (await cluster.nodeClient(node)).dbSize()));
      expect(Math.min(...sizes)).toBeGreaterThan(0);
    } finally {
      await cluster.close();
    }
  });
});

describeWithService('redis', 'redis store behind a sentinel', () => {
  test('RL26: goes on deciding after a failover, with what the replica had', async () => {
    await using servers = started(await startRedisSentinel());
    const sentinel = createSentinel({
      name: servers.name,
      sentinelRootNodes: [{ host: '127.0.0.1', port: servers.sentinel.port }],
      nodeClientOptions: { socket: { reconnectStrategy: 20 } },
    });
    sentinel.on('error', () => {});
    await sentinel.connect();
    try {
      const store = createRedisStore({ client: sentinel, deadlineMs: 250 });
      await until(() => decides(store));
      const calm = createRedisStore({ client: sentinel, tag: 'kept', ...patient });
      await admitsThree(calm);
      await replicated(servers.primary.url, servers.replica.url);
      await servers.primary.kill();

      await until(() => decides(store), 30_000);
      expect((await calm.decide({ kind: 'consume', asks })).allowed).toBe(false);
      await calm.reset(asks);
      await admitsOneMore(calm);
    } finally {
      await sentinel.close();
    }
  });
});

/** Waits until the replica is as far on as the primary: replication is not waited for by those who write. */
async function replicated(primaryUrl: string, replicaUrl: string): Promise<void> {
  const [primary, replica] = await Promise.all([primaryUrl, replicaUrl].map((url) => createClient({ url }).connect()));
  const offsetOf = async (node: typeof primary, field: string): Promise<string | undefined> =>
    new RegExp(`${field}:(\\d+)`).exec((await node?.info('replication')) ?? '')?.[1];
  await until(async () => {
    const wanted = await offsetOf(primary, 'master_repl_offset');
    return wanted !== undefined && (await offsetOf(replica, 'slave_repl_offset')) === wanted;
  });
  primary?.destroy();
  replica?.destroy();
}

async function admitsThree(store: LimiterStore): Promise<void> {
  const id = 'held'.padEnd(22, '-');
  expect((await store.decide({ kind: 'reserve', asks, id, ttlUs: 6e7, maxWaitUs: 0 })).allowed).toBe(true);
  expect((await store.decide({ kind: 'consume', asks })).allowed).toBe(true);
  expect((await store.decide({ kind: 'charge', asks: asks.slice(0, 3), id })).allowed).toBe(true);
  const { allowed, findings } = await store.decide({ kind: 'consume', asks });
  expect([allowed, findings.map(({ remaining }) => remaining)]).toEqual([false, [7, 0, 97, 1]]);
}

async function admitsOneMore(store: LimiterStore): Promise<void> {
  expect((await store.decide({ kind: 'consume', asks })).allowed).toBe(true);
}

async function decides(store: LimiterStore): Promise<boolean> {
  return Promise.resolve(store.decide({ kind: 'consume', asks: [askOf(ruleOf({ limit: 1e6 }, 'probe'))] })).then(
    () => true,
    () => false,
  );
}
