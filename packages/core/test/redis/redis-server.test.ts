/** The script runner over real servers: alone, stalled, killed, in a cluster, behind a sentinel. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  behindTimer,
  describeWithService,
  leastOf,
  type Server,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
  started,
} from '@tooling/services';
import { Redis } from 'ioredis';
import { createClient, createCluster, createSentinel } from 'redis';
import { createScriptRunner, defineScript, fromIoredis } from '../../src/redis/index.ts';
import { until } from '../until.ts';
import { type Proxy, startProxy } from './proxy.ts';

const increment = defineScript({ lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])", numberOfKeys: 1 });
const echo = defineScript({ lua: "return { ARGV[1], 7, 'text', false }" });
const key = (name: string) => `test:core:${process.pid}:${name}`;
/** Long enough for a busy machine where a test is not about time. */
const patient = { deadlineMs: 5_000 };

describeWithService('redis', 'script runner over redis 6', (url) => {
  const client = createClient({ url });
  const scripts = createScriptRunner({ client, ...patient });

  beforeAll(() => client.connect());
  afterAll(async () => {
    await client.del([key('count'), key('flushed')]);
    await client.close();
  });

  test('runs a script', async () => {
    expect(await scripts.run(increment, [key('count')], ['2'])).toBe(2);
    expect(await scripts.run(echo, [], ['given'])).toEqual(['given', 7, 'text', null]);
  });

  test('a hundred calls at once survive a flush of all scripts, and each runs once', async () => {
    await client.scriptFlush();

    await Promise.all(Array.from({ length: 100 }, () => scripts.run(increment, [key('flushed')], ['1'])));

    expect(await client.get(key('flushed'))).toBe('100');
    expect(await client.scriptExists(increment.sha)).toEqual([1]);
  });

  test('an error of the script is permanent and names it', async () => {
    const wrong = defineScript({ lua: "return redis.call('NOTHING')", name: 'wrong' });

    await expect(scripts.run(wrong, [])).rejects.toMatchObject({
      code: 'SAGE_REDIS_SCRIPT_FAILED',
      details: { script: 'wrong' },
    });
  });

  test('replies have their default types, whatever the client maps them to', async () => {
    const mapped = client.withTypeMapping({ 36: Buffer });

    expect(await createScriptRunner({ client: mapped, ...patient }).run(echo, [], ['given'])).toEqual([
      'given',
      7,
      'text',
      null,
    ]);
  });
});

describeWithService('redis', 'script runner over ioredis', (url) => {
  const client = new Redis(url, { lazyConnect: true });
  const scripts = createScriptRunner({ client: fromIoredis(client), ...patient });

  beforeAll(() => client.connect());
  afterAll(async () => {
    await client.del(key('ioredis'));
    client.disconnect();
  });

  test('runs a script, also after a flush of all scripts', async () => {
    expect(await scripts.run(increment, [key('ioredis')], ['2'])).toBe(2);
    await client.script('FLUSH');
    expect(await scripts.run(increment, [key('ioredis')], ['2'])).toBe(4);
  });

  test('fails at once when it is not connected', async () => {
    const idle = fromIoredis(new Redis(url, { lazyConnect: true }));

    await expect(createScriptRunner({ client: idle }).run(increment, [key('ioredis')], ['1'])).rejects.toMatchObject({
      code: 'SAGE_REDIS_NOT_READY',
    });
  });
});

describeWithService('redis', 'a server that fails', () => {
  let server: Server;
  let client: ReturnType<typeof createClient>;

  beforeAll(async () => {
    server = started(await startRedis({ fresh: true, args: ['--appendonly', 'yes', '--appendfsync', 'always'] }));
    client = createClient({ url: server.url, socket: { reconnectStrategy: 20 } });
    client.on('error', () => {});
    await client.connect();
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });

  test('a stalled server is answered for within the deadline and 10 ms', async () => {
    const scripts = createScriptRunner({ client, deadlineMs: 50 });
    await createScriptRunner({ client, ...patient }).run(increment, ['stalled'], ['1']);

    await server.pause();
    const lateMs = await leastOf(10, () =>
      behindTimer(50, () =>
        expect(scripts.run(increment, ['stalled'], ['1'])).rejects.toMatchObject({ code: 'SAGE_REDIS_DEADLINE' }),
      ),
    );
    await server.resume();

    expect(lateMs).toBeLessThan(10);
    expect(await createScriptRunner({ client, ...patient }).run(increment, ['other'], ['1'])).toBe(1);
  });

  test('a server that is gone fails at once, nothing is kept for later, and it goes on when the server is back', async () => {
    const scripts = createScriptRunner({ client, ...patient });
    await scripts.run(increment, ['killed'], ['1']);

    await server.kill();
    await until(() => !client.isReady);
    const lateMs = await leastOf(20, () =>
      behindTimer(0, () =>
        expect(scripts.run(increment, ['killed'], ['1'])).rejects.toMatchObject({ code: 'SAGE_REDIS_NOT_READY' }),
      ),
    );
    expect(lateMs).toBeLessThan(20);

    await server.restart();
    await until(() => client.isReady);
    expect(await scripts.run(increment, ['killed'], ['1'])).toBe(2);
  });

  test('a call in flight when the server dies ends as transient', async () => {
    const scripts = createScriptRunner({ client, ...patient });
    await until(() => client.isReady);
    await server.pause();
    const running = expect(scripts.run(increment, ['in-flight'], ['1'])).rejects.toMatchObject({
      code: 'SAGE_REDIS_UNAVAILABLE',
      category: 'transient',
      details: { sent: true },
    });
    await server.kill();
    await running;
  });
});

describeWithService('redis', 'script runner in a cluster', () => {
  let nodes: readonly Server[] = [];
  let line: Proxy;
  let stop = async () => {};
  let cluster: ReturnType<typeof createCluster>;
  /** One key for each of the three nodes, whose slots are even shares in order: "{b}" is 3300, "{a}" 15495, "{c}" 7365. */
  const keys = ['{b}:count', '{c}:count', '{a}:count'] as const;

  beforeAll(async () => {
    const servers = started(await startRedisCluster());
    nodes = servers.nodes;
    stop = () => servers.stop();
    line = await startProxy(nodes[0]?.port ?? 0);
    cluster = createCluster({
      nodeAddressMap: { [`127.0.0.1:${nodes[0]?.port}`]: { host: '127.0.0.1', port: line.port } },
      rootNodes: servers.urls.map((url) => ({ url })),
      defaults: { socket: { reconnectStrategy: 20 } },
    });
    cluster.on('error', () => {});
    cluster.on('node-error', () => {});
    await cluster.connect();
  });
  afterAll(async () => {
    cluster.destroy();
    await line[Symbol.asyncDispose]();
    await stop();
  });

  test('each node gets the script that it does not know, by the keys of the call', async () => {
    const scripts = createScriptRunner({ client: cluster, ...patient });

    expect(await Promise.all(keys.map((name) => scripts.run(increment, [name], ['1'])))).toEqual([1, 1, 1]);
    expect(await Promise.all(keys.map((name) => scripts.run(increment, [name], ['1'])))).toEqual([2, 2, 2]);
    for (const node of cluster.masters) {
      const client = await cluster.nodeClient(node);
      expect(await client.scriptExists(increment.sha)).toEqual([1]);
    }
  });

  test('a script without keys runs on some node', async () => {
    expect(await createScriptRunner({ client: cluster, ...patient }).run(echo, [], ['x'])).toEqual([
      'x',
      7,
      'text',
      null,
    ]);
  });

  test('keys of two slots are refused', async () => {
    const two = defineScript({ lua: 'return #KEYS' });

    await expect(createScriptRunner({ client: cluster, ...patient }).run(two, ['{a}', '{b}'])).rejects.toMatchObject({
      code: 'SAGE_REDIS_SCRIPT_FAILED',
    });
  });

  test('a stalled node fails its own keys only', async () => {
    const scripts = createScriptRunner({ client: cluster, deadlineMs: 100 });
    await nodes[0]?.pause();
    try {
      await expect(scripts.run(increment, [keys[0]], ['1'])).rejects.toMatchObject({ code: 'SAGE_REDIS_DEADLINE' });
      expect(await createScriptRunner({ client: cluster, ...patient }).run(increment, [keys[2]], ['1'])).toBe(3);
    } finally {
      await nodes[0]?.resume();
    }
  });

  test('a call for a node that cannot be reached fails at its deadline and is not sent when it can', async () => {
    await line.cut();
    await until(async () => !(await cluster.getNodeClientForKey(keys[0])).isReady);
    await expect(
      createScriptRunner({ client: cluster, deadlineMs: 50 }).run(increment, [keys[0]], ['1000']),
    ).rejects.toMatchObject({ code: 'SAGE_REDIS_DEADLINE' });
    await line.mend();

    expect(await createScriptRunner({ client: cluster, ...patient }).run(increment, [keys[0]], ['1'])).toBeLessThan(
      1_000,
    );
  });
});

describeWithService('redis', 'script runner behind a sentinel', () => {
  test('runs on the primary', async () => {
    const servers = started(await startRedisSentinel());
    const sentinel = createSentinel({
      name: servers.name,
      sentinelRootNodes: [{ host: '127.0.0.1', port: servers.sentinel.port }],
    });
    sentinel.on('error', () => {});
    try {
      await sentinel.connect();
      const scripts = createScriptRunner({ client: sentinel, ...patient });

      expect(await scripts.run(increment, ['count'], ['1'])).toBe(1);
      expect(await scripts.run(increment, ['count'], ['1'])).toBe(2);
    } finally {
      await sentinel.close();
      await servers.stop();
    }
  });
});
