import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import { createThrottlerStorage } from '../../src/adapters/nestjs-throttler.ts';
import { createMemoryStore } from '../../src/stores/memory.ts';

/** What the storage of @nestjs/throttler 6.7.1 answered to one key: `<ms since the call before>=<hits>`, or `!<seconds blocked>`. */
interface Recorded {
  readonly ttl: number;
  readonly limit: number;
  readonly blockDuration: number;
  readonly calls: string;
}

const recorded = JSON.parse(
  readFileSync(new URL('../fixtures/nestjs-throttler-6.7.1.json', import.meta.url), 'utf8'),
) as readonly Recorded[];

describe('the storage for @nestjs/throttler', () => {
  test('answers as its own storage did to recorded traffic', async () => {
    for (const { ttl, limit, blockDuration, calls } of recorded) {
      const { clock, storage } = create();
      const answers: string[] = [];
      for (const call of calls.split(' ')) {
        clock.advance(Number.parseInt(call, 10));
        const record = await storage.increment('ada', ttl, limit, blockDuration, 'default');
        const { isBlocked, totalHits, timeToBlockExpire } = record;
        answers.push(`${Number.parseInt(call, 10)}${isBlocked ? `!${timeToBlockExpire}` : `=${totalHits}`}`);
      }
      expect(answers.join(' ')).toBe(calls);
    }
  });

  test('counts hits in the time before, and tells until when in whole seconds', async () => {
    const { clock, storage } = create();
    const hit = () => storage.increment('ada', 10_000, 2, 0, 'default');
    expect(await hit()).toEqual({ totalHits: 1, timeToExpire: 10, isBlocked: false, timeToBlockExpire: 0 });
    clock.advance(1_100);
    expect(await hit()).toEqual({ totalHits: 2, timeToExpire: 10, isBlocked: false, timeToBlockExpire: 0 });
    clock.advance(1_000);
    expect(await hit()).toEqual({ totalHits: 3, timeToExpire: 8, isBlocked: true, timeToBlockExpire: 8 });
  });

  test('blocks for as long as it is told, and not for longer because of calls meanwhile', async () => {
    const { clock, storage } = create();
    const hit = async () => (await storage.increment('ada', 1_000, 1, 5_000, 'default')).timeToBlockExpire;
    expect([await hit(), await hit()]).toEqual([0, 5]);
    clock.advance(4_999);
    expect(await hit()).toBe(1);
    clock.advance(1);
    expect([await hit(), await hit()]).toEqual([0, 5]);
  });

  test('allows nothing where the limit is 0', async () => {
    const { storage } = create();
    expect(await storage.increment('ada', 1_000, 0, 0, 'default')).toEqual({
      totalHits: 1,
      timeToExpire: 1,
      isBlocked: true,
      timeToBlockExpire: 1,
    });
  });

  test('counts keys, and throttlers of other names, for themselves', async () => {
    const { storage } = create();
    const isBlocked = async (key: string, name: string) =>
      (await storage.increment(key, 1_000, 1, 1_000, name)).isBlocked;
    expect([await isBlocked('ada', 'short'), await isBlocked('bob', 'short'), await isBlocked('ada', 'long')]).toEqual([
      false,
      false,
      false,
    ]);
    expect(await isBlocked('ada', 'short')).toBe(true);
    expect(await isBlocked('bob', 'long')).toBe(false);
  });

  test('counts together with others on a shared store, which it does not end', async () => {
    const store = createMemoryStore();
    const [one, two] = [createThrottlerStorage({ store }), createThrottlerStorage({ store })];
    await one.increment('ada', 1_000, 5, 0, 'default');
    await one.onApplicationShutdown();
    expect((await two.increment('ada', 1_000, 5, 0, 'default')).totalHits).toBe(2);
  });
});

function create() {
  const clock = createFakeClock();
  return { clock, storage: createThrottlerStorage({ clock }) };
}
