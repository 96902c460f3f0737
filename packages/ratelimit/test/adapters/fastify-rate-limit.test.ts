import { afterEach, describe, expect, jest, test } from '@jest/globals';
import rateLimit, { type RateLimitPluginOptions } from '@fastify/rate-limit';
import { createFakeClock } from '@sage-adk/core/testing';
import Fastify, { type FastifyInstance } from 'fastify';
import {
  createFastifyRateLimitStore,
  type FastifyRateLimitCount,
  type FastifyRateLimitOptions,
  type FastifyRateLimitStore,
} from '../../src/adapters/fastify-rate-limit.ts';
import { createMemoryStore } from '../../src/stores/memory.ts';

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

describe('the store for @fastify/rate-limit', () => {
  test('counts a key from its first hit on, and from the end of its window again', async () => {
    const { store, clock } = create();
    expect(await incr(store)).toEqual({ current: 1, ttl: 1_000 });
    clock.advance(400);
    expect(await incr(store)).toEqual({ current: 2, ttl: 600 });
    expect(await incr(store, 'bob')).toEqual({ current: 1, ttl: 1_000 });
    clock.advance(600);
    expect(await incr(store)).toEqual({ current: 1, ttl: 1_000 });
  });

  test('reads without counting', async () => {
    const { store, clock } = create();
    expect(await read(store)).toEqual({ current: 0, ttl: 0 });
    await incr(store);
    clock.advance(300);
    expect([await read(store), await read(store)]).toEqual([
      { current: 1, ttl: 700 },
      { current: 1, ttl: 700 },
    ]);
  });

  test('begins the window again with every hit too many, where it continues exceeding', async () => {
    const { store, clock } = create({ continueExceeding: true });
    await incr(store);
    await incr(store);
    clock.advance(900);
    expect(await incr(store)).toEqual({ current: 3, ttl: 1_000 });
    clock.advance(900);
    expect((await incr(store)).current).toBeGreaterThan(2);
    expect((await read(store)).ttl).toBe(1_000);
    clock.advance(1_000);
    expect(await incr(store)).toEqual({ current: 1, ttl: 1_000 });
  });

  test('doubles the time with every hit too many, up to the longest', async () => {
    const { store, clock } = create({ exponentialBackoff: true }, 5_000);
    await incr(store);
    await incr(store);
    const ttls: number[] = [];
    for (let n = 0; n < 5; n++) ttls.push((await incr(store)).ttl);
    expect(ttls).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
    clock.advance(4_999);
    expect((await incr(store)).current).toBeGreaterThan(2);
    clock.advance(1_000);
    expect(await incr(store)).toEqual({ current: 1, ttl: 1_000 });
  });

  test('lets children count apart, each route for itself, and the same route of every process together', async () => {
    const shared = createMemoryStore();
    const [one, two] = [create({}, undefined, shared).store, create({}, undefined, shared).store];
    const route = (url: string) => ({ routeInfo: { method: 'GET', url } });
    await incr(one);
    await incr(one.child(route('/a')));
    expect((await incr(two)).current).toBe(2);
    expect((await incr(two.child(route('/a')))).current).toBe(2);
    expect((await incr(two.child(route('/b')))).current).toBe(1);
    expect((await incr(two.child({ routeInfo: {} }))).current).toBe(1);
    expect((await incr(two.child({ routeInfo: {} }))).current).toBe(1);
  });

  test('tells of trouble with the store', async () => {
    const broken = { ...createMemoryStore(), decide: () => Promise.reject(new Error('no store')) };
    const Store = createFastifyRateLimitStore({ store: broken });
    await expect(incr(new Store({}))).rejects.toThrow('no store');
    await expect(read(new Store({}))).rejects.toThrow('no store');
  });

  test('refuses a longest time that cannot be', () => {
    expect(() => createFastifyRateLimitStore({ maxBackoffMs: 0 })).toThrow('The option maxBackoffMs is 0');
  });
});

describe('@fastify/rate-limit with our store', () => {
  test('limits at the right request, and sends its own header fields and body', async () => {
    const { app, clock } = await serve({ max: 2, timeWindow: 60_000 });
    const answers = [await app.inject('/'), await app.inject('/'), await app.inject('/')];
    expect(answers.map(({ statusCode, headers }) => [statusCode, headers['x-ratelimit-remaining']])).toEqual([
      [200, '1'],
      [200, '0'],
      [429, '0'],
    ]);
    expect(answers[2]?.headers).toMatchObject({
      'x-ratelimit-limit': '2',
      'x-ratelimit-reset': '60',
      'retry-after': '60',
    });
    expect(answers[2]?.json()).toEqual({
      statusCode: 429,
      error: 'Too Many Requests',
      message: 'Rate limit exceeded, retry in 1 minute',
    });
    clock.advance(60_000);
    expect((await app.inject('/')).statusCode).toBe(200);
  });

  test('limits routes and groups with limits of their own apart from the rest', async () => {
    const { app } = await serve({ max: 1, timeWindow: 60_000 }, (fastify) => {
      const group = { max: 2, timeWindow: 60_000, groupId: 'group' };
      fastify.get('/own', { config: { rateLimit: { max: 2, timeWindow: 60_000 } } }, async () => 'own');
      fastify.get('/grouped', { config: { rateLimit: group } }, async () => 'grouped');
    });
    const statuses = async (url: string) => {
      const found: number[] = [];
      for (let n = 0; n < 3; n++) found.push((await app.inject(url)).statusCode);
      return found;
    };
    expect(await statuses('/')).toEqual([200, 429, 429]);
    expect(await statuses('/own')).toEqual([200, 200, 429]);
    expect(await statuses('/grouped')).toEqual([200, 200, 429]);
  });

  test('bans who goes on', async () => {
    const { app } = await serve({ max: 1, timeWindow: 60_000, ban: 1 });
    const statuses: number[] = [];
    for (let n = 0; n < 4; n++) statuses.push((await app.inject('/')).statusCode);
    expect(statuses).toEqual([200, 429, 403, 403]);
  });

  test('limits by hand, and looks without counting', async () => {
    const { app } = await serve({ global: false, max: 2, timeWindow: 60_000 }, (fastify) => {
      const check = fastify.createRateLimit({ max: 1, timeWindow: 60_000 });
      fastify.get('/by-hand', (request, reply) => {
        void check(request, { increment: request.headers['x-look'] === undefined }).then((found) => reply.send(found));
      });
    });
    const look = { url: '/by-hand', headers: { 'x-look': 'yes' } };
    const answers = [await app.inject(look), await app.inject('/by-hand'), await app.inject('/by-hand')];
    expect(answers.map((answer) => answer.json())).toMatchObject([
      { isExceeded: false, remaining: 1 },
      { isExceeded: false, remaining: 0, ttl: 60_000 },
      { isExceeded: true, remaining: 0 },
    ]);
    expect((await app.inject(look)).json()).toMatchObject({ remaining: 0, isExceeded: true });
  });

  test('passes on what a broken store says, or goes on without it', async () => {
    const broken = { ...createMemoryStore(), decide: () => Promise.reject(new Error('no store')) } as never;
    const store = createFastifyRateLimitStore({ store: broken });
    expect((await (await serve({ store })).app.inject('/')).statusCode).toBe(500);
    expect((await (await serve({ store, skipOnError: true })).app.inject('/')).statusCode).toBe(200);
  });

  test('ends the store in this process', async () => {
    const shared = createMemoryStore();
    const close = jest.spyOn(shared, 'close');
    await createFastifyRateLimitStore({ store: shared }).close();
    expect(close).not.toHaveBeenCalled();
    await createFastifyRateLimitStore().close();
  });
});

function create(
  limits: FastifyRateLimitOptions = {},
  maxBackoffMs?: number,
  shared?: ReturnType<typeof createMemoryStore>,
) {
  const clock = createFakeClock();
  const Store = createFastifyRateLimitStore({
    clock,
    ...(maxBackoffMs !== undefined && { maxBackoffMs }),
    ...(shared !== undefined && { store: shared }),
  });
  return { clock, store: new Store(limits) };
}

function incr(store: FastifyRateLimitStore, key = 'ada'): Promise<FastifyRateLimitCount> {
  return asked((tell) => store.incr(key, tell, 1_000, 2));
}

function read(store: FastifyRateLimitStore, key = 'ada'): Promise<FastifyRateLimitCount> {
  return asked((tell) => store.read(key, tell, 1_000, 2));
}

function asked(ask: (tell: (error: Error | null, result?: FastifyRateLimitCount) => void) => void) {
  return new Promise<FastifyRateLimitCount>((resolve, reject) => {
    ask((error, result) => (result === undefined ? reject(error) : resolve(result)));
  });
}

async function serve(options: RateLimitPluginOptions, routes: (app: FastifyInstance) => void = () => {}) {
  const clock = createFakeClock();
  const app = Fastify();
  apps.push(app);
  await app.register(rateLimit, { store: createFastifyRateLimitStore({ clock }), ...options });
  app.get('/', async () => 'fine');
  routes(app);
  return { app, clock };
}
