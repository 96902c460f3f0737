import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { probes as expressProbes } from '../../src/http/express.ts';
import { probes as fastifyProbes } from '../../src/http/fastify.ts';
import { probes as honoProbes } from '../../src/http/hono.ts';
import { createProbeHandler } from '../../src/http/node.ts';
import { createHealth, type Health } from '../../src/index.ts';

/** A server with the probes and one route of its own, at `/own`; resolves with its URL. */
type Start = (health: Health, ends: (() => unknown)[]) => Promise<string>;

async function urlOf(server: Server, ends: (() => unknown)[]): Promise<string> {
  ends.push(() => server.close());
  if (!server.listening) await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const frameworks: Readonly<Record<string, Start>> = {
  node: (health, ends) => {
    const probe = createProbeHandler(health);
    const server = createServer((request, response) =>
      request.url === '/own' ? response.end('own') : probe(request, response),
    );
    return urlOf(server.listen(0, '127.0.0.1'), ends);
  },
  express: (health, ends) => {
    const app = express();
    app.use(expressProbes(health));
    app.get('/own', (_request, response) => void response.send('own'));
    return urlOf(app.listen(0, '127.0.0.1'), ends);
  },
  fastify: async (health, ends) => {
    const app = fastify();
    await app.register(fastifyProbes(health));
    app.get('/own', () => 'own');
    await app.listen({ port: 0, host: '127.0.0.1' });
    ends.push(() => app.close());
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  },
  hono: (health, ends) => {
    const app = new Hono();
    app.use(honoProbes(health));
    app.get('/own', (context) => context.text('own'));
    return urlOf(serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server, ends);
  },
};

describe.each(Object.entries(frameworks))('%s', (_name, start) => {
  const ends: (() => unknown)[] = [];
  let health: Health;
  let url: string;
  beforeEach(async () => {
    health = createHealth({ checks: [{ name: 'db', failureThreshold: 1, check: async () => {} }] });
    await health.refresh();
    url = await start(health, ends);
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    await health.close();
  });

  test('OH1 OH2 OH3: answers the probes beside its own routes', async () => {
    const statuses = async (): Promise<number[]> =>
      Promise.all(['live', 'startup', 'ready'].map(async (probe) => (await fetch(`${url}/health/${probe}`)).status));
    expect(await statuses()).toEqual([200, 503, 503]);
    health.markStarted();
    expect(await statuses()).toEqual([200, 200, 200]);
    health.setDraining();
    expect(await statuses()).toEqual([200, 200, 503]);
    expect(await (await fetch(`${url}/own`)).text()).toBe('own');
  });

  test('the answer is JSON, never cached, and empty for HEAD', async () => {
    const answer = await fetch(`${url}/health/ready?verbose`);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toMatchObject({ status: 'fail', reason: 'starting', checks: [{ name: 'db' }] });
    const head = await fetch(`${url}/health/live`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});
