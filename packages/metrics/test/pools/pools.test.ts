import { execFile } from 'node:child_process';
import { Agent, createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PostgresClient } from '@sage-adk/core/postgres';
import { createMetrics, type Metrics } from '../../src/index.ts';
import {
  countPostgres,
  fetchConnections,
  httpConnections,
  pgConnections,
  redisConnections,
  watchPool,
} from '../../src/pools/index.ts';
import { valueIn } from '../support/exposition-text.ts';

let metrics: Metrics;
beforeEach(() => void (metrics = createMetrics({ runtime: false })));
afterEach(() => metrics.close());

const shown = async (pool: string) => {
  const text = await metrics.registry.metrics();
  return [
    valueIn(text, 'sage_pool_connections', { pool, state: 'active' }),
    valueIn(text, 'sage_pool_connections', { pool, state: 'idle' }),
    valueIn(text, 'sage_pool_waiting', { pool }),
    valueIn(text, 'sage_pool_max_connections', { pool }),
  ];
};

/** A server that answers when it is told to. */
async function holdingServer() {
  const held: ServerResponse[] = [];
  const server = createServer((_, response) => {
    held.push(response);
    server.emit('held');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async holding(count: number) {
      while (held.length < count) await once(server, 'held');
    },
    release: () => held.splice(0).forEach((response) => response.end('ok')),
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('OM18: the usage of connection pools', () => {
  test('a pool of pg, a pool of redis: in use, idle, waiting and the most there may be', async () => {
    using _pg = watchPool(
      'postgres',
      pgConnections({ totalCount: 5, idleCount: 2, waitingCount: 4, options: { max: 10 } }),
    );
    using _redis = watchPool('redis', redisConnections({ clientsInUse: 1, idleClients: 2, tasksQueueLength: 3 }, 8));
    expect(await shown('postgres')).toEqual([3, 2, 4, 10]);
    expect(await shown('redis')).toEqual([1, 2, 3, 8]);
  });

  test('connections of the global fetch: none before it is used, and after the answers none in use', async () => {
    const script = fileURLToPath(new URL('global-fetch.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script]);
    expect(JSON.parse(stdout)).toEqual({ before: {}, during: { active: 2, idle: 0, waiting: 0 }, after: 0 });
  });

  test('a dispatcher that does not count says nothing', async () => {
    using _fetch = watchPool('silent', fetchConnections({}));
    expect(await shown('silent')).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('an agent of node:http with one socket: the second request waits', async () => {
    using server = await holdingServer();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    using _http = watchPool('http', httpConnections(agent));
    const ask = () =>
      new Promise<void>((resolve, reject) => {
        get(server.url, { agent }, (response) => response.resume().on('end', resolve)).on('error', reject);
      });
    const answers = [ask(), ask()];
    await server.holding(1);
    expect((await shown('http')).slice(0, 3)).toEqual([1, 0, 1]);
    server.release();
    await server.holding(1);
    server.release();
    await Promise.all(answers);
    agent.destroy();
  });

  test('calls of a PostgreSQL client whose driver does not count; beyond its connections they wait', async () => {
    const { promise, resolve } = Promise.withResolvers<readonly never[]>();
    const client: PostgresClient = { query: () => promise, transaction: () => Promise.reject(new Error('no')) };
    const counted = countPostgres(client, 2);
    using _postgres = watchPool('postgres', counted.read);
    const calls = [1, 2, 3].map(() => counted.client.query('select 1'));
    expect(await shown('postgres')).toEqual([2, undefined, 1, 2]);
    resolve([]);
    await Promise.all(calls);
    await expect(counted.client.transaction(() => Promise.resolve())).rejects.toThrow('no');
    expect(await shown('postgres')).toEqual([0, undefined, 0, 2]);
  });

  test('pools of one name are summed, and one that is disposed is gone', async () => {
    using _one = watchPool('p', () => ({ active: 1 }));
    const other = watchPool('p', () => ({ active: 2 }));
    expect((await shown('p'))[0]).toBe(3);
    other[Symbol.dispose]();
    expect((await shown('p'))[0]).toBe(1);
  });
});
