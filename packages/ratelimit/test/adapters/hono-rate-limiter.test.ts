/** hono-rate-limiter asks of a store what express-rate-limit does, so the same one serves both. */
import { describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import { Hono } from 'hono';
import { type HonoConfigProps, rateLimiter } from 'hono-rate-limiter';
import { createExpressRateLimitStore } from '../../src/adapters/express-rate-limit.ts';
import { createMemoryStore } from '../../src/stores/memory.ts';

describe('hono-rate-limiter with the store for express-rate-limit', () => {
  test('limits at the right request, and sends its own header fields', async () => {
    const { send, clock } = serve({ limit: 2, standardHeaders: 'draft-6' });
    const answers = [await send(), await send(), await send()];
    expect(answers.map(({ status, headers }) => [status, headers.get('ratelimit-remaining')])).toEqual([
      [200, '1'],
      [200, '0'],
      [429, '0'],
    ]);
    expect(answers[2]?.headers.get('retry-after')).toBe('60');
    clock.advance(60_000);
    expect((await send()).status).toBe(200);
  });

  test('limits each key of its own', async () => {
    const { send } = serve({ limit: 1 });
    const answers = [await send('/', 'ada'), await send('/', 'bob'), await send('/', 'ada')];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  });

  test.each([
    ['skipFailedRequests', '/fails', '/'],
    ['skipSuccessfulRequests', '/', '/fails'],
  ] as const)('does not count what %s says', async (option, skipped, counted) => {
    const { send } = serve({ limit: 2, [option]: true });
    for (let n = 0; n < 4; n++) expect((await send(skipped)).status).not.toBe(429);
    const answers = [await send(counted), await send(counted), await send(counted)];
    expect(answers.map(({ status }) => status === 429)).toEqual([false, false, true]);
  });

  test('reads and resets a key', async () => {
    const { send, store } = serve({ limit: 1 });
    await send();
    expect(await store.get('everybody')).toMatchObject({ totalHits: 1 });
    expect((await send()).status).toBe(429);
    await store.resetKey('everybody');
    expect((await send()).status).toBe(200);
  });

  test('two apps with one store of ours have one limit', async () => {
    const shared = createMemoryStore();
    const apps = [serve({ limit: 1 }, shared), serve({ limit: 1 }, shared)];
    const answers = [await apps[0]?.send(), await apps[1]?.send()];
    expect(answers.map((answer) => answer?.status)).toEqual([200, 429]);
  });
});

function serve(
  options: Omit<HonoConfigProps, 'keyGenerator' | 'store'>,
  shared?: ReturnType<typeof createMemoryStore>,
) {
  const clock = createFakeClock();
  const store = createExpressRateLimitStore({ clock, ...(shared !== undefined && { store: shared }) });
  const app = new Hono()
    .use(
      rateLimiter({
        windowMs: 60_000,
        ...options,
        keyGenerator: (context) => context.req.header('x-user') ?? 'everybody',
        store,
      }),
    )
    .get('/fails', (context) => context.text('', 500))
    .get('/', (context) => context.text('fine'));
  const send = async (path = '/', user?: string) =>
    app.request(path, { headers: user === undefined ? {} : { 'x-user': user } });
  return { clock, store, send };
}
