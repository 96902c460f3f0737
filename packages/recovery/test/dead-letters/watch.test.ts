import { expect, test } from '@jest/globals';
import { sources } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { createMemoryDeadLetters, type DeadLetterStore, watchDeadLetters } from '../../src/dead-letters/index.ts';

/** All that is offered of dead letters now. */
function offered(): Record<string, Readonly<Record<string, number>>> {
  const own = sources().filter(({ name }) => name.startsWith('dlq.'));
  return Object.fromEntries(own.map((one) => [one.name, one.read()]));
}

const put = (store: DeadLetterStore) => store.put({ source: 'inbox', payload: 1, error: 'no' });
const asked = () => new Promise(setImmediate);

test('metrics see the letters by state and the age of the oldest, as they were at the last look', async () => {
  const clock = createFakeClock();
  await using store = createMemoryDeadLetters({ queue: 'in|box', maxRedrives: 1, clock });
  using _watched = watchDeadLetters(store, { intervalMs: 1_000, clock });
  expect(offered()).toEqual({ 'dlq.letters': {}, 'dlq.oldest': {} });
  await asked();
  const none = { 'in/box|dead': 0, 'in/box|claimed': 0, 'in/box|parked': 0 };
  expect(offered()).toEqual({ 'dlq.letters': none, 'dlq.oldest': { 'in/box': 0 } });
  await put(store);
  const [claim] = await store.claim();
  if (claim !== undefined) await store.nack(claim);
  clock.advance(600);
  await put(store);
  expect(offered()['dlq.letters']).toEqual(none);
  clock.advance(400);
  await asked();
  expect(offered()).toEqual({
    'dlq.letters': { ...none, 'in/box|dead': 1, 'in/box|parked': 1 },
    'dlq.oldest': { 'in/box': 1 },
  });
  clock.advance(500);
  expect(offered()['dlq.oldest']).toEqual({ 'in/box': 1.5 });
});

test('while the store does not answer there are no numbers, and nothing after the end', async () => {
  const clock = createFakeClock();
  await using store = createMemoryDeadLetters({ clock });
  let away = true;
  let looks = 0;
  const watched = watchDeadLetters(
    { ...store, stats: async () => (looks++, away ? Promise.reject(new Error('away')) : store.stats()) },
    { clock },
  );
  await asked();
  expect(offered()).toEqual({ 'dlq.letters': {}, 'dlq.oldest': {} });
  away = false;
  clock.advance(15_000);
  await asked();
  expect(offered()['dlq.letters']).toMatchObject({ 'default|dead': 0 });
  watched[Symbol.dispose]();
  expect(offered()).toEqual({});
  clock.advance(60_000);
  await asked();
  expect(looks).toBe(2);
});
