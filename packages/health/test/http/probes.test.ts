import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { listenForProbes, type ProbeListener } from '../../src/http/node.ts';
import { createHealth, type Health } from '../../src/index.ts';

let health: Health;
let listener: ProbeListener;
beforeEach(async () => {
  health = createHealth({
    checks: [{ name: 'db', check: () => Promise.reject(new Error('connect postgres://user:s@c/ret@db:5432 refused')) }],
  });
  await health.refresh();
  listener = await listenForProbes(health, { port: 0 });
});
afterEach(async () => {
  await listener.close();
  await health.close();
});

const probe = (path: string, init?: RequestInit): Promise<Response> => fetch(`${listener.url}${path}`, init);

describe('the probes over HTTP', () => {
  test('OH1 OH3 OH4: live, startup and ready answer on a port of their own', async () => {
    expect((await probe('/health/live')).status).toBe(200);
    expect((await probe('/health/startup')).status).toBe(503);
    health.markStarted();
    expect((await probe('/health/startup')).status).toBe(200);
    expect((await probe('/health/ready')).status).toBe(503);
  });

  test('say which check fails and when it was run, without what it threw, and are never cached', async () => {
    health.markStarted();
    const response = await probe('/health/ready?verbose');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({
      status: 'fail',
      reason: 'db: failing',
      checks: [
        {
          name: 'db',
          status: 'fail',
          reason: 'failing',
          critical: true,
          checkedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        },
      ],
    });
    expect(await (await probe('/health/live')).json()).toEqual({ status: 'pass', checks: [] });
  });

  test('say what a check threw where asked, without credentials', async () => {
    health.markStarted();
    const open = await listenForProbes(health, { port: 0, details: true });
    const body = await (await fetch(`${open.url}/health/ready`)).json();
    expect(body).toMatchObject({ checks: [{ detail: 'connect postgres://***@db:5432 refused' }] });
    await open.close();
  });

  test('OH4: answer on other paths where asked', async () => {
    const other = await listenForProbes(health, { port: 0, paths: { live: '/alive' } });
    expect((await fetch(`${other.url}/alive`)).status).toBe(200);
    expect((await fetch(`${other.url}/health/live`)).status).toBe(404);
    await other.close();
  });

  test('answer GET and HEAD only, and only on their paths', async () => {
    const head = await probe('/health/live', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const post = await probe('/health/live', { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await probe('/')).status).toBe(404);
  });

  test('a port that is taken is one clear error', async () => {
    await expect(listenForProbes(health, { port: listener.port })).rejects.toMatchObject({
      code: 'SAGE_HEALTH_LISTEN_FAILED',
      message: expect.stringContaining(`127.0.0.1:${listener.port}: EADDRINUSE`),
    });
  });

  test.each([
    [{ port: 65_536 }, 'port'],
    [{ port: 0, blockedAfterMs: 99 }, 'blockedAfterMs'],
    [{ port: 0, thread: 'both' as 'main' }, 'thread'],
    [{ port: 0, paths: { live: 'live' } }, 'paths'],
    [{ port: 0, paths: { live: '/same', ready: '/same' } }, 'paths'],
  ])('a bad option is named: %j', async (options, name) => {
    await expect(listenForProbes(health, options)).rejects.toThrow(name);
  });
});
