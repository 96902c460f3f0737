/** What `redis` throws, from real servers in trouble. */
import { type Server, serviceUrl, started, startRedis, startRedisCluster } from '@tooling/services';
import { createClient } from 'redis';
import { caught, type Origin, packageAndVersion, type Recorded } from '../origin.ts';

type Client = ReturnType<typeof createClient>;

export const redisOrigin: Origin = {
  name: 'redis',
  from: `${packageAndVersion('redis')} with redis-server`,
  async record() {
    const url = serviceUrl('redis');
    if (url === undefined) throw new TypeError('Recording needs a Redis.');
    return [...(await recordCommands(url)), ...(await recordServers()), ...(await recordConnections())];
  },
};

async function recordCommands(url: string): Promise<Recorded[]> {
  const client = await connected(url);
  try {
    await client.set('corpus:text', 'a');
    return [
      await caught('WRONGTYPE', () => client.sendCommand(['LPUSH', 'corpus:text', 'b'])),
      await caught('NOSCRIPT', () => client.evalSha('f'.repeat(40))),
      await caught('unknown command', () => client.sendCommand(['NOSUCHCOMMAND'])),
      await caught('wrong number of arguments', () => client.sendCommand(['GET'])),
      await caught('not an integer', () => client.incr('corpus:text')),
      await caught('script that fails', () => client.eval("return redis.error_reply('MY own error')")),
      await caught('WRONGPASS', () => client.sendCommand(['AUTH', 'nobody', 'wrong'])),
      await caught('EXECABORT', async () => {
        await client.sendCommand(['MULTI']);
        await client.sendCommand(['NOSUCHCOMMAND']).catch(() => {});
        return client.sendCommand(['EXEC']);
      }),
    ];
  } finally {
    await client.del('corpus:text');
    client.destroy();
  }
}

async function recordServers(): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  await withServer(async ({ url, port }) => {
    const client = await connected(url);
    await client.configSet('requirepass', 'secret');
    client.destroy();
    recorded.push(
      await caught('NOAUTH', async () => {
        const stranger = await connected(url);
        return stranger.get('a').finally(() => stranger.destroy());
      }),
      await caught('WRONGPASS while connecting', () => connected(`redis://:wrong@127.0.0.1:${port}`)),
    );
  });
  await withServer(async ({ url }) => {
    const client = await connected(url);
    const other = await connected(url);
    await client.configSet('maxmemory', '1');
    recorded.push(await caught('OOM', () => client.set('a', 'b')));
    await client.configSet('maxmemory', '0');
    await client.sendCommand(['REPLICAOF', '127.0.0.1', '9']);
    recorded.push(await caught('READONLY', () => client.set('a', 'b')));
    await client.configSet('replica-serve-stale-data', 'no');
    recorded.push(await caught('MASTERDOWN', () => client.get('a')));
    await client.sendCommand(['REPLICAOF', 'NO', 'ONE']);
    await client.configSet('lua-time-limit', '10');
    const endless = client.eval('while true do end').catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    recorded.push(await caught('BUSY', () => other.get('a')));
    await other.sendCommand(['SCRIPT', 'KILL']);
    await endless;
    await client.configSet('min-replicas-to-write', '1');
    recorded.push(await caught('NOREPLICAS', () => client.set('a', 'b')));
    await client.configSet('min-replicas-to-write', '0');
    await client.configSet('dir', '/proc');
    await client.configSet('save', '1 1');
    await client.set('a', 'b');
    await client.sendCommand(['BGSAVE']).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    recorded.push(await caught('MISCONF', () => client.set('a', 'c')));
    await client.configSet('maxclients', '2');
    recorded.push(await caught('max number of clients', () => connected(url)));
    client.destroy();
    other.destroy();
  });
  recorded.push(...(await recordCluster()));
  return recorded;
}

async function recordCluster(): Promise<Recorded[]> {
  const cluster = started(await startRedisCluster());
  try {
    const client = await connected(cluster.urls[0] ?? '');
    const recorded = [
      await caught('CROSSSLOT', () => client.mSet(['a', '1', 'b', '2'])),
      await caught('MOVED', async () => {
        for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) await client.set(key, '1');
      }),
    ];
    await client.sendCommand(['CLUSTER', 'DELSLOTS', '1']);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    recorded.push(await caught('CLUSTERDOWN', () => client.get('a')));
    client.destroy();
    return recorded;
  } finally {
    await cluster.stop();
  }
}

async function recordConnections(): Promise<Recorded[]> {
  const server = started(await startRedis({ fresh: true }));
  const { url } = server;
  const patient = await connected(url);
  const recorded: Recorded[] = [
    await caught('socket timeout', async () => {
      const client = createClient({ url, socket: { reconnectStrategy: false, socketTimeout: 50 } });
      client.on('error', () => {});
      await client.connect();
      await server.pause();
      try {
        return await client.get('a');
      } finally {
        await server.resume();
      }
    }),
    await caught('server killed while it was asked', async () => {
      await server.pause();
      const answer = patient.get('a');
      answer.catch(() => {});
      await server.resume();
      await server.kill();
      return patient.get('a');
    }),
    await caught('connection refused', () => connected(url)),
    await caught('client that is closed', () => patient.get('a')),
    await caught('client that is offline', async () => {
      const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: () => 10_000 } });
      client.on('error', () => {});
      client.connect().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 50));
      return client.get('a').finally(() => client.destroy());
    }),
  ];
  await server.stop();
  return recorded;
}

async function connected(url: string): Promise<Client> {
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 2_000 } });
  client.on('error', () => {});
  await client.connect();
  return client as Client;
}

async function withServer(use: (server: Server) => Promise<void>): Promise<void> {
  const server = started(await startRedis({ fresh: true, args: ['--enable-protected-configs', 'yes'] }));
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}
