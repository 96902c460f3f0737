/** The drop-in stores while a shared store does not answer. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import { createExpressRateLimitStore } from '../../src/adapters/express-rate-limit.ts';
import { createFastifyRateLimitStore, type FastifyRateLimitCount } from '../../src/adapters/fastify-rate-limit.ts';
import { createThrottlerStorage } from '../../src/adapters/nestjs-throttler.ts';
import { guardStore } from '../../src/stores/guarded-store.ts';
import { createMemoryStore } from '../../src/stores/memory.ts';
import type { LimiterStore } from '../../src/stores/store.ts';

const opened: LimiterStore[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

describe('while the shared store is away, with two processes', () => {
  test('each counts a hit for both, so that together they keep about the limit', async () => {
    const store = createExpressRateLimitStore({ store: guarded() });
    store.init({ windowMs: 60_000 });
    const totals = [await store.increment('ada'), await store.increment('ada'), await store.increment('bob')];
    expect(totals.map(({ totalHits }) => totalHits)).toEqual([2, 4, 2]);
  });

  test('a back-off lasts as long as otherwise', async () => {
    const Store = createFastifyRateLimitStore({ store: guarded() });
    const store = new Store({ exponentialBackoff: true });
    const incr = () =>
      new Promise<FastifyRateLimitCount>((resolve, reject) => {
        store.incr('ada', (error, count) => (count === undefined ? reject(error) : resolve(count)), 1_000, 1);
      });
    expect(await incr()).toEqual({ current: 2, ttl: 1_000 });
    expect(await incr()).toEqual({ current: 4, ttl: 4_000 });
    await new Promise<void>((resolve) => {
      store.read('ada', (_error, count) => resolve(expect(count?.ttl).toBe(4_000)), 1_000, 1);
    });
  });

  test('each has half of the hits of a throttler', async () => {
    const storage = createThrottlerStorage({ store: guarded() });
    const blocked: boolean[] = [];
    for (let n = 0; n < 3; n++) {
      blocked.push((await storage.increment('ada', 60_000, 4, 0, 'default')).isBlocked);
    }
    expect(blocked).toEqual([false, false, true]);
  });
});

/** A store of two processes that answers nothing. */
function guarded(): LimiterStore {
  const away = Object.assign(createMemoryStore(), { decide: () => Promise.reject(new Error('away')) });
  const store = guardStore(away, { instances: 2, clock: createFakeClock() });
  opened.push(store);
  return store;
}
