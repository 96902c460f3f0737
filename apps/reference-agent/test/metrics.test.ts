import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { observe } from '@sage-adk/core';
import { type PushReceiver, startPushReceiver } from '@sage-adk/metrics/testing';
import { parseConfig } from '../src/config/load.ts';
import { startTestAgent } from './support/agent.ts';
import { get, post } from './support/http.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const start = async (metrics: string) => {
  const indented = metrics.replaceAll(/^/gm, '    ');
  const agent = await startTestAgent(`observability:\n  metrics:\n${indented}\n`);
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= agent.close());
  closing.push(close);
  return { ...agent, close };
};
const requestsIn = (text: string) =>
  Number(/^sage_agent_requests_total\{protocol="http",.*outcome="ok"[^}]*\} (\d+)$/m.exec(text)?.[1]);

/** A gateway that outlives the agents of its test, so that their last push is no failure. */
async function gateway(): Promise<PushReceiver> {
  const receiver = await startPushReceiver();
  closing.push(() => receiver.close());
  return receiver;
}

describe('OC1: the keys of the metrics block', () => {
  test('enabled: without metrics there is no listener', async () => {
    const { urls } = await start('enabled: false');
    expect(urls.metrics).toBeUndefined();
  });

  test('host, port and path: where the scrape is, in the format that is asked for', async () => {
    const { urls } = await start('path: /internal');
    expect(urls.metrics).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/internal$/);
    await post(urls.messages, { text: 'Hello' });
    const url = urls.metrics ?? '';
    expect(requestsIn((await get(url)).text)).toBe(1);
    const openMetrics = await fetch(url, { headers: { accept: 'application/openmetrics-text' } });
    expect(openMetrics.headers.get('content-type')).toContain('application/openmetrics-text; version=1.0.0');
    expect(await openMetrics.text()).toMatch(/# EOF\n$/);
    expect((await get(url.replace('/internal', '/metrics'))).status).toBe(404);
  });

  test('interval and push_url: each interval a push, as an instance of its own', async () => {
    const receiver = await gateway();
    const { urls } = await start(`push_url: ${receiver.url}\ninterval: 0.1`);
    await post(urls.messages, { text: 'Hello' });
    while (requestsIn(receiver.received.at(-1)?.body ?? '') !== 1) await receiver.pushed();
    expect(receiver.received[0]?.path).toMatch(/^\/metrics\/job\/reference-agent\/instance\/.+/);
  });

  test('push_url: the last push, after the drain, has the requests that the drain waited for', async () => {
    const receiver = await gateway();
    const { urls, close } = await start(`push_url: ${receiver.url}\ninterval: 3600`);
    const answers = Array.from({ length: 20 }, () => post(urls.messages, { text: 'Hello' }));
    await Promise.all(answers);
    await close();
    expect(receiver.received).toHaveLength(1);
    expect(requestsIn(receiver.received[0]?.body ?? '')).toBe(20);
  });

  test('push_url: a gateway that is away keeps no agent from ending well, and whoever watches is told', async () => {
    const told: string[] = [];
    using _watching = observe({ name: 'test', events: { 'error.critical': ({ reason }) => void told.push(reason) } });
    const agent = await start('push_url: http://127.0.0.1:1\ninterval: 3600');
    await expect(agent.close()).resolves.toBeUndefined();
    expect(told).toEqual(['push_failed']);
  });

  test('textfile: a file that has everything when the agent has ended', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agent-metrics-'));
    closing.unshift(() => rm(folder, { recursive: true }));
    const path = join(folder, 'agent.prom');
    const { urls, close } = await start(`textfile: ${path}\ninterval: 3600`);
    await post(urls.messages, { text: 'Hello' });
    await close();
    expect(requestsIn(await readFile(path, 'utf8'))).toBe(1);
  });

  test('OC3: usage: who used what in which days, beside the scrape', async () => {
    const { urls } = await start('usage:\n  enabled: true');
    await post(urls.messages, { text: 'Hello' });
    const at = (query: string) => get((urls.metrics ?? '').replace('/metrics', `/usage${query}`));
    const report = JSON.parse((await at('')).text) as { total: object; byModel: readonly { label: string }[] };
    expect(report.total).toMatchObject({ messages: 1, calls: 1 });
    expect(report.byModel.map(({ label }) => label)).toEqual(['local/local-scripted']);
    expect(JSON.parse((await at('?from=2020-01-01&to=2020-01-02')).text)).toMatchObject({ total: { messages: 0 } });
    expect((await at('?from=yesterday')).status).toBeGreaterThanOrEqual(400);
    expect((await get(urls.metrics ?? '')).status).toBe(200);
  });

  test.each([
    'from=yesterday',
    'from=2026-02-30',
    'from=2026-02-02&to=2026-02-01',
    'from=0001-01-01',
    'from=0001-01-01&to=0001-01-02',
    'from=9999-01-01&to=9999-01-02',
    'from=2024-01-01&to=2025-03-01',
    `tenant=${'x'.repeat(129)}`,
    'tenant=%00',
  ])('usage: %s is the mistake of who asks, and nobody reads centuries for it', async (query) => {
    const { urls } = await start('usage:\n  enabled: true');
    const answer = await get((urls.metrics ?? '').replace('/metrics', `/usage?${query}`));
    expect(answer.status).toBe(400);
    expect(answer.json()).toEqual({ error: expect.any(String) });
  });

  test('a path that is no path, or the name of a property, is answered like any other that is not there', async () => {
    const { urls } = await start('usage:\n  enabled: true');
    const { hostname, port } = new URL(urls.metrics ?? '');
    for (const path of ['//', 'http://', '/constructor', '/toString', '/__proto__', '/usage%']) {
      const [response] = (await once(request({ hostname, port, path }).end(), 'response')) as [IncomingMessage];
      expect([path, response.resume().statusCode]).toEqual([path, 404]);
    }
    expect((await get(urls.metrics ?? '')).status).toBe(200);
  });

  test('usage: without it there is no such report, and a storage without its block is refused', async () => {
    const { urls } = await start('usage:\n  enabled: false');
    expect((await get((urls.metrics ?? '').replace('/metrics', '/usage'))).status).toBe(404);
    const config = 'observability:\n  metrics:\n    usage:\n      enabled: true\n      storage: redis\n';
    expect(() => parseConfig(config, 'agent.yaml')).toThrow(/wanted a block redis/);
  });

  test('OC4: objectives: how availability and latency stand', async () => {
    const { urls } = await start('objectives:\n  availability: 0.999\n  latency: 0.9\n  latency_seconds: 327.68');
    await post(urls.messages, { text: 'Hello' });
    const { text } = await get((urls.metrics ?? '').replace('/metrics', '/slo'));
    const { objectives } = JSON.parse(text) as { objectives: readonly object[] };
    expect(objectives).toEqual([
      expect.objectContaining({ name: 'agent_availability', objective: 0.999, total: 1, bad: 0, met: true }),
      expect.objectContaining({ name: 'agent_latency', objective: 0.9, total: 1, bad: 0, met: true }),
    ]);
  });
});
