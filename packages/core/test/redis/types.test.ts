import { describe, expect, test } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import type { createClientPool } from 'redis';
import { createClient, createCluster, createSentinel } from 'redis';
import { fromIoredis, type RedisCommands } from '../../src/redis/index.ts';

type Fits<Client> = Client extends RedisCommands ? true : false;

// The typecheck of this file is the test: none of these is connected.
describe('clients by their types', () => {
  test('redis 6: client, cluster and sentinel fit without a cast', () => {
    const clients: readonly RedisCommands[] = [
      createClient(),
      createClient({ RESP: 2, commandOptions: { timeout: 100 } }),
      createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] }),
      createSentinel({ name: 'primary', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] }),
    ];

    expect(clients.map((client) => client.isReady)).toEqual([false, false, false, false]);
  });

  test('redis 6: a pool does not, since it cannot say whether it is ready', () => {
    const poolFits: Fits<ReturnType<typeof createClientPool>> = false;
    const clientFits: Fits<ReturnType<typeof createClient>> = true;

    expect([poolFits, clientFits]).toEqual([false, true]);
  });

  test('ioredis: client and cluster fit the adapter without a cast', () => {
    const clients = [new Redis({ lazyConnect: true }), new Cluster([{ port: 1 }], { lazyConnect: true })];

    expect(clients.map((client) => fromIoredis(client).isReady)).toEqual([false, false]);
  });

  test.each([
    ['keyPrefix', new Redis({ lazyConnect: true, keyPrefix: 'app:' })],
    ['keyPrefix', new Cluster([{ port: 1 }], { lazyConnect: true, keyPrefix: 'app:' })],
    ['stringNumbers', new Redis({ lazyConnect: true, stringNumbers: true })],
    ['stringNumbers', new Cluster([{ port: 1 }], { lazyConnect: true, redisOptions: { stringNumbers: true } })],
  ])('ioredis: a client with %s is refused: it would change what scripts are sent or reply', (option, client) => {
    expect(() => fromIoredis(client)).toThrow(`The option ${option} of ioredis is`);
  });
});
