import { expect, test } from '@jest/globals';
import { type LimitGrant, observe } from '@sage-adk/core';
import { Settlement } from '../../src/limits/settlement.ts';

test('RL23: a grant is ended once, by the first word, whatever is said afterwards', () => {
  const words: string[] = [];
  const grant: LimitGrant = {
    allowed: true,
    settle: async ({ tokens }) => void words.push(`settle ${tokens}`),
    cancel: async () => void words.push('cancel'),
  };
  const settled = new Settlement(grant);
  settled.settle({ tokens: 5 });
  settled.settle({ tokens: 6 });
  settled.cancel();
  const cancelled = new Settlement(grant);
  cancelled.cancel();
  cancelled.settle({ tokens: 7 });
  expect([words, settled.isOver, cancelled.isOver]).toEqual([['settle 5', 'cancel'], true, true]);
});

test('an end that fails is told, also after ends that all had the same promise', async () => {
  const failed: unknown[] = [];
  using _watching = observe({
    name: 'watching',
    event: (name) => (name === 'error.critical' ? (told) => void failed.push(told) : undefined),
  });
  const well = Promise.resolve();
  const ends = [well, well, Promise.reject(new Error('gone')), well, Promise.reject(new Error('gone again'))];
  for (const end of ends) {
    new Settlement({ allowed: true, settle: () => end, cancel: () => end }).settle({});
    await new Promise((resolve) => void setImmediate(resolve));
  }
  expect(failed).toMatchObject([{ message: 'Error: gone' }, { message: 'Error: gone again' }]);
});
