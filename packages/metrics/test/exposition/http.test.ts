import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Gauge, Registry } from 'prom-client';
import { createMetrics, type Metrics, type MetricsOptions } from '../../src/index.ts';

const open: Metrics[] = [];
const create = (options: MetricsOptions = {}): Metrics => {
  const metrics = createMetrics({ runtime: false, ...options });
  open.push(metrics);
  return metrics;
};
afterEach(() => Promise.all(open.splice(0).map((metrics) => metrics.close())));

describe('the listener', () => {
  test('answers GET and HEAD on its path with the content type of Prometheus', async () => {
    const { url } = await create().listen({ port: 0 });
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('# TYPE sage_build_info gauge');
    const head = await fetch(`${url}?name[]=x`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
      '',
    ]);
  });

  test('answers 404 elsewhere and 405 to other methods', async () => {
    const { url } = await create().listen({ port: 0, path: '/internal' });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/internal$/);
    expect((await fetch(new URL('/metrics', url))).status).toBe(404);
    expect((await fetch(new URL('/internal/', url))).status).toBe(404);
    const post = await fetch(url, { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('a port in use is one clear error', async () => {
    const { port } = await create().listen({ port: 0 });
    await expect(create().listen({ port })).rejects.toMatchObject({
      code: 'SAGE_METRICS_PORT_IN_USE',
      message: `Port ${port} of 127.0.0.1 is in use. Set another port for metrics.`,
    });
    await expect(create().listen({ port: 0, host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'SAGE_METRICS_LISTEN_FAILED',
    });
    await expect(create().listen({ port: 0, path: 'metrics' })).rejects.toThrow(/path is "metrics"/);
    await expect(create().listen({ port: 65_536 })).rejects.toThrow(/port is 65536/);
  });

  test('closing the metrics ends it, also over kept-alive connections', async () => {
    const metrics = create();
    const { url } = await metrics.listen({ port: 0 });
    await (await fetch(url)).text();
    await metrics.close();
    await expect(fetch(url)).rejects.toThrow();
    await expect(metrics.listen({ port: 0 })).rejects.toMatchObject({ code: 'SAGE_METRICS_CLOSED' });
  });

  test('a metric of the user that cannot be read is a 500, and the next scrape works', async () => {
    const registry = new Registry();
    let broken = true;
    const collect = (): void => {
      if (broken) throw new Error('secret');
    };
    registry.registerMetric(new Gauge({ name: 'mine', help: 'Mine.', registers: [], collect }));
    const { url } = await create({ registry }).listen({ port: 0 });
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([500, 'A metric of the registry could not be read.\n']);
    broken = false;
    expect((await fetch(url)).status).toBe(200);
  });
});

test('scrapes at the same moment share one rendering', async () => {
  let renderings = 0;
  const registry = new Registry();
  const collect = (): void => void renderings++;
  registry.registerMetric(new Gauge({ name: 'mine', help: 'Mine.', registers: [], collect }));
  const handle = create({ registry }).handler();
  const waiting: (() => void)[] = [];
  // Held back until all four are there.
  const server = createServer((incoming, response) => {
    waiting.push(() => handle(incoming, response));
    if (waiting.length === 4) for (const go of waiting.splice(0)) go();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const statuses = await Promise.all(
    Array.from({ length: 4 }, () => {
      return new Promise<number | undefined>((resolve, reject) => {
        const sent = request({ port, host: '127.0.0.1', path: '/metrics', agent: false }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        });
        sent.on('error', reject).end();
      });
    }),
  );
  server.close();
  expect(statuses).toEqual([200, 200, 200, 200]);
  expect(renderings).toBe(1);
});
