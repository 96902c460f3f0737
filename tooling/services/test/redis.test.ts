import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from 'redis';
import { startRedis, started } from '../src/index.js';
import type { Server } from '../src/index.js';
import { isRunning, isStalled, suiteFor } from './support.ts';

const result = await startRedis({ fresh: true, args: ['--appendonly', 'yes', '--appendfsync', 'always'] });

suiteFor(result)('a redis for tests', () => {
  let redis: Server;
  let client: ReturnType<typeof createClient>;

  beforeAll(async () => {
    redis = started(result);
    client = createClient({ url: redis.url, socket: { reconnectStrategy: 20 } });
    client.on('error', () => {});
    await client.connect();
  });
  afterAll(async () => {
    client.destroy();
    await redis.stop();
    await redis.stop();
  });

  test('answers PING on loopback and says what it is', async () => {
    expect(await client.ping()).toBe('PONG');
    expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`);
    expect(redis.version).toMatch(/^\d+\.\d+/);
    expect(await client.info('server')).toContain(`process_id:${redis.pid}`);
  });

  test('stalls while paused and goes on when resumed', async () => {
    await redis.pause();
    const answer = client.ping();
    expect(await isStalled(answer)).toBe(true);
    await redis.resume();
    expect(await answer).toBe('PONG');
  });

  test('keeps its port and, asked to persist, its data over kill and restart', async () => {
    await client.set('kept', 'yes');
    const before = redis.pid;
    await redis.kill();
    expect(isRunning(Number(before))).toBe(false);
    await redis.restart();
    expect(redis.pid).not.toBe(before);
    expect(await client.get('kept')).toBe('yes');
  });

  test('restarts a server that runs, and one that is paused', async () => {
    const before = redis.pid;
    await redis.restart();
    const between = redis.pid;
    expect(between).not.toBe(before);
    await redis.pause();
    await redis.restart();
    expect(redis.pid).not.toBe(between);
    expect(await client.ping()).toBe('PONG');
  });

  test('is gone after its scope when declared with await using', async () => {
    let pid: number | undefined;
    {
      await using other = started(await startRedis({ fresh: true }));
      pid = other.pid;
      expect(other.port).not.toBe(redis.port);
    }
    expect(isRunning(Number(pid))).toBe(false);
  });

  test('gives the reason of the server itself when it refuses its arguments', async () => {
    const refused = await startRedis({ fresh: true, args: ['--no-such-directive', 'yes'] });
    expect(refused).toMatchObject({ skipped: expect.stringMatching(/bad directive/i) });
  });
});

test('a Redis named by REDIS_URL is used and left alone', async () => {
  const before = process.env['REDIS_URL'];
  process.env['REDIS_URL'] = 'redis://user:secret@192.0.2.1:6390';
  try {
    const named = started(await startRedis());
    expect(named).toMatchObject({ url: 'redis://user:secret@192.0.2.1:6390', port: 6390, from: 'REDIS_URL' });
    await named.stop();
    await expect(named.kill()).rejects.toThrow('REDIS_URL names and not ours');
    process.env['REDIS_URL'] = 'localhost';
    await expect(startRedis()).rejects.toThrow('REDIS_URL is not a URL');
  } finally {
    if (before === undefined) delete process.env['REDIS_URL'];
    else process.env['REDIS_URL'] = before;
  }
});
