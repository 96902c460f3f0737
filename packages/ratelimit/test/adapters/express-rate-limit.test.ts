import { createServer } from 'node:http';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import express from 'express';
import { type Options, rateLimit } from 'express-rate-limit';
import { createExpressRateLimitStore, type ExpressRateLimitStore } from '../../src/adapters/express-rate-limit.ts';
import { createMemoryStore } from '../../src/stores/memory.ts';
import { type Answer, ask, type Asked } from '../http/support/client.ts';
import { listen } from '../http/support/listen.ts';

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

describe('the store for express-rate-limit', () => {
  test('counts a key from its first hit on, and from the end of its window again', async () => {
    const { store, clock } = create(60_000);
    const hits = async () => (await store.increment('ada')).totalHits;
    clock.advance(30_000);
    expect([await hits(), await hits()]).toEqual([1, 2]);
    clock.advance(59_999);
    expect(await hits()).toBe(3);
    clock.advance(1);
    expect(await hits()).toBe(1);
  });

  test('tells when the window ends, which later hits do not move', async () => {
    const { store, clock } = create(60_000);
    const { resetTime } = await store.increment('ada');
    expect(resetTime.getTime() - Date.now()).toBeGreaterThan(40_000);
    clock.advance(45_000);
    const later = await store.increment('ada');
    expect(later.resetTime.getTime() - Date.now()).toBeLessThanOrEqual(15_000);
  });

  test('counts each key for itself', async () => {
    const { store } = create();
    await store.increment('ada');
    await store.increment('ada');
    expect((await store.increment('bob')).totalHits).toBe(1);
    expect((await store.get('ada'))?.totalHits).toBe(2);
    expect(await store.get('eve')).toBeUndefined();
  });

  test('forgets one key, or all', async () => {
    const { store } = create();
    await store.increment('ada');
    await store.increment('bob');
    await store.resetKey('ada');
    expect([(await store.get('ada'))?.totalHits, (await store.get('bob'))?.totalHits]).toEqual([undefined, 1]);
    await store.resetAll?.();
    expect((await store.increment('bob')).totalHits).toBe(1);
  });

  test('takes hits back one by one, never below 0 and only those of the window of now', async () => {
    const { store, clock } = create(60_000, { skipFailedRequests: true });
    await store.increment('ada');
    await store.increment('ada');
    await store.decrement('ada');
    expect((await store.get('ada'))?.totalHits).toBe(1);
    for (let n = 0; n < 3; n++) await store.decrement('ada');
    expect(await store.get('ada')).toBeUndefined();
    await store.increment('ada');
    clock.advance(60_000);
    await store.increment('ada');
    await store.decrement('ada');
    await store.decrement('ada');
    expect((await store.increment('ada')).totalHits).toBe(1);
  });

  test('takes back what is counted, while the next hit of the key is still on its way', async () => {
    const counting = Promise.withResolvers<void>();
    const shared = createMemoryStore();
    const decide = shared.decide.bind(shared);
    const store = createExpressRateLimitStore({ store: shared });
    store.init({ windowMs: 60_000, skipFailedRequests: true });
    await store.increment('ada');
    const slow = jest.spyOn(shared, 'decide').mockImplementationOnce((async (request: never) => {
      await counting.promise;
      return decide(request);
    }) as never);
    const next = store.increment('ada');
    await store.decrement('ada');
    counting.resolve();
    expect((await next).totalHits).toBe(1);
    slow.mockRestore();
  });

  test('remembers no more hits to take back than it has room for: the oldest stay counted', async () => {
    const { store } = create(60_000, { skipFailedRequests: true }, 2);
    for (const key of ['ada', 'bob', 'bob']) await store.increment(key);
    for (const key of ['ada', 'bob', 'bob']) await store.decrement(key);
    expect([(await store.get('ada'))?.totalHits, await store.get('bob')]).toEqual([1, undefined]);
  });

  test('is local alone, and shared where it is given a store of ours', async () => {
    const shared = createMemoryStore();
    const [one, two] = [createExpressRateLimitStore({ store: shared }), createExpressRateLimitStore({ store: shared })];
    const other = createExpressRateLimitStore({ store: shared, prefix: 'admin' });
    expect([create().store.localKeys, one.localKeys, one.prefix, other.prefix, one.resetAll]).toEqual([
      true,
      false,
      'express-rate-limit',
      'admin',
      undefined,
    ]);
    for (const store of [one, two, other]) store.init({ windowMs: 60_000 });
    await one.increment('ada');
    expect((await two.increment('ada')).totalHits).toBe(2);
    expect((await other.increment('ada')).totalHits).toBe(1);
    await one.shutdown();
    expect((await two.increment('ada')).totalHits).toBe(3);
  });

  test('RL8: keeps no key as it is', async () => {
    const shared = createMemoryStore();
    const store = createExpressRateLimitStore({ store: shared });
    await store.increment('sk-secret');
    expect(JSON.stringify(shared.image())).not.toContain('secret');
  });

  test('refuses a prefix that cannot be', () => {
    expect(() => createExpressRateLimitStore({ prefix: 'a b' })).toThrow('The option prefix is "a b"');
  });
});

describe('express-rate-limit with our store', () => {
  test('limits at the right request, and sends its own header fields', async () => {
    const { send, clock } = await serve({ limit: 2, standardHeaders: 'draft-8', legacyHeaders: true });
    const answers = [await send(), await send(), await send()];
    expect(answers.map(({ status, headers }) => [status, headers['x-ratelimit-remaining']])).toEqual([
      [200, '1'],
      [200, '0'],
      [429, '0'],
    ]);
    expect(answers[2]?.headers).toMatchObject({
      'retry-after': '60',
      'x-ratelimit-limit': '2',
      ratelimit: expect.stringMatching(/^"2-in-1min"; r=0; t=60$/),
      'ratelimit-policy': expect.stringMatching(/^"2-in-1min"; q=2; w=60; pk=:/),
    });
    const reset = Number(answers[2]?.headers['x-ratelimit-reset']) * 1_000 - Date.now();
    expect(reset).toBeGreaterThan(40_000);
    expect(reset).toBeLessThanOrEqual(61_000);
    clock.advance(60_000);
    expect((await send()).status).toBe(200);
  });

  test('limits each key of its own', async () => {
    const { send } = await serve({ limit: 1, keyGenerator: (request) => String(request.headers['x-user']) });
    const as = (user: string): Asked => ({ headers: { 'x-user': user } });
    const answers = [await send(as('ada')), await send(as('bob')), await send(as('ada'))];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  });

  test.each([
    ['skipFailedRequests', '/fails', '/'],
    ['skipSuccessfulRequests', '/', '/fails'],
  ] as const)('does not count what %s says', async (option, skipped, counted) => {
    const { send, store } = await serve({ limit: 2, [option]: true });
    const decrement = jest.spyOn(store, 'decrement');
    const finished = (calls: number) => until(() => decrement.mock.calls.length === calls);
    for (let n = 1; n <= 4; n++) {
      expect((await send({ path: skipped })).status).not.toBe(429);
      await finished(n);
    }
    const answers = [await send({ path: counted }), await send({ path: counted }), await send({ path: counted })];
    expect(answers.map(({ status }) => status === 429)).toEqual([false, false, true]);
  });

  test('reads and resets a key through it', async () => {
    const { send, limiter } = await serve({ limit: 1, keyGenerator: () => 'everybody' });
    await send();
    expect(await limiter.getKey('everybody')).toMatchObject({ totalHits: 1 });
    expect((await send()).status).toBe(429);
    limiter.resetKey('everybody');
    expect((await send()).status).toBe(200);
  });

  test('finds nothing to complain of, also with two limiters in the way of a request', async () => {
    const logger = { error: jest.fn(), warn: jest.fn() };
    const shared = createMemoryStore();
    const app = express();
    for (const prefix of ['all', 'chat']) {
      const store = createExpressRateLimitStore({ store: shared, prefix });
      app.use(rateLimit({ limit: 5, store, logger, standardHeaders: 'draft-7' }));
    }
    app.use(rateLimit({ limit: 5, store: createExpressRateLimitStore(), logger }));
    app.get('/', (_request, response) => void response.send('fine'));
    expect((await (await start(app))()).status).toBe(200);
    expect([logger.error.mock.calls, logger.warn.mock.calls]).toEqual([[], []]);
  });
});

function create(windowMs = 60_000, options: { skipFailedRequests?: boolean } = {}, maxKeys = 100) {
  const clock = createFakeClock();
  const store = createExpressRateLimitStore({ clock, maxKeys });
  store.init({ windowMs, ...options });
  return { clock, store };
}

async function serve(options: Partial<Options>) {
  const clock = createFakeClock();
  const store: ExpressRateLimitStore = createExpressRateLimitStore({ clock });
  const limiter = rateLimit({ windowMs: 60_000, ...options, store });
  const app = express().use(limiter);
  app.get('/fails', (_request, response) => void response.sendStatus(500));
  app.get('/', (_request, response) => void response.send('fine'));
  return { clock, store, limiter, send: await start(app) };
}

async function start(app: ReturnType<typeof express>): Promise<(asked?: Asked) => Promise<Answer>> {
  const { port, stop } = await listen(createServer(app));
  stops.push(stop);
  return (asked) => ask(port, asked);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}
