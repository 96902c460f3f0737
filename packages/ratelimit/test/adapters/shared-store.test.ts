/** The drop-in stores on a store that several processes share. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import rateLimitPlugin from '@fastify/rate-limit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fromPostgres } from '@sage-adk/core/postgres';
import { describeWithService } from '@tooling/services';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import Fastify, { type FastifyInstance } from 'fastify';
import postgres, { type Sql } from 'postgres';
import { createClient } from 'redis';
import { createExpressRateLimitStore } from '../../src/adapters/express-rate-limit.ts';
import { createFastifyRateLimitStore } from '../../src/adapters/fastify-rate-limit.ts';
import { createThrottlerStorage } from '../../src/adapters/nestjs-throttler.ts';
import { createPostgresStore, migratePostgresStore } from '../../src/stores/postgres/index.ts';
import { createRedisStore } from '../../src/stores/redis/index.ts';
import type { LimiterStore } from '../../src/stores/store.ts';
import { ask } from '../http/support/client.ts';
import { listen } from '../http/support/listen.ts';

describeWithService('redis', 'two processes with one Redis', (url) => {
  const clients = [createClient({ url }), createClient({ url })];
  const tag = randomUUID();

  beforeAll(async () => {
    for (const client of clients) await client.connect();
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
  });
  together(clients.map((client) => () => createRedisStore({ client, tag, deadlineMs: 5_000 })));
});

describeWithService('postgres', 'two processes with one PostgreSQL', (url) => {
  const schema = 'drop_ins';
  const opened: Sql[] = [];
  const open = (): LimiterStore => {
    const sql = postgres(url, { max: 4, fetch_types: false, onnotice: () => {} });
    opened.push(sql);
    return createPostgresStore({ client: fromPostgres(sql), schema, deadlineMs: 5_000 });
  };

  beforeAll(async () => {
    const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} });
    await sql.unsafe(`drop schema if exists ${schema} cascade`);
    await migratePostgresStore(fromPostgres(sql), { schema });
    await sql.end();
  });
  afterAll(async () => {
    for (const sql of opened) await sql.end();
  });
  together([open, open]);
});

function together(opens: readonly (() => LimiterStore)[]): void {
  let stores: readonly LimiterStore[] = [];
  beforeAll(() => {
    stores = opens.map((open) => open());
  });

  test('RL17, RL18: have one limit together in express-rate-limit, and take back what is not to count', async () => {
    const ports = await Promise.all(
      stores.map(async (store) => {
        const limits = { windowMs: 60_000, limit: 10, keyGenerator: () => 'everybody', skipFailedRequests: true };
        const app = express().use(rateLimit({ ...limits, store: createExpressRateLimitStore({ store }) }));
        app.get('/fails', (_request, response) => void response.sendStatus(500));
        app.get('/', (_request, response) => void response.send('fine'));
        return listen(createServer(app));
      }),
    );
    const failed = await Promise.all([...ports, ...ports].map(({ port }) => ask(port, { path: '/fails' })));
    expect(failed.map(({ status }) => status)).toEqual([500, 500, 500, 500]);
    for (const store of stores) {
      const look = createExpressRateLimitStore({ store });
      look.init({ windowMs: 60_000 });
      while ((await look.get('everybody')) !== undefined) await new Promise(setImmediate);
    }

    const asked = Array.from({ length: 15 }, () => ports).flat();
    const answers = await Promise.all(asked.map(({ port }) => ask(port)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20);
    for (const { stop } of ports) stop();
  });

  test('have one limit together in @fastify/rate-limit', async () => {
    const limits = { max: 7, timeWindow: 60_000, keyGenerator: () => 'everybody' };
    const apps: FastifyInstance[] = [];
    for (const store of stores) {
      const app = Fastify();
      await app.register(rateLimitPlugin, { ...limits, store: createFastifyRateLimitStore({ store }) });
      app.get('/', async () => 'fine');
      apps.push(app);
    }
    const asked = Array.from({ length: 10 }, () => apps).flat();
    const answers = await Promise.all(asked.map((app) => app.inject('/')));
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(7);
    for (const app of apps) await app.close();
  });

  test('have one limit and one block together in @nestjs/throttler', async () => {
    const storages = stores.map((store) => createThrottlerStorage({ store }));
    const asked = Array.from({ length: 10 }, () => storages).flat();
    const hit = (storage: (typeof storages)[0]) => storage.increment('everybody', 60_000, 5, 90_000, 'default');
    const records = await Promise.all(asked.map(hit));
    expect(records.filter(({ isBlocked }) => !isBlocked)).toHaveLength(5);
    for (const storage of storages) {
      const { isBlocked, timeToBlockExpire } = await hit(storage);
      expect([isBlocked, timeToBlockExpire]).toEqual([true, 90]);
    }
  });
}
