import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createBulkhead } from '../../src/index.ts';

const caught = (answer: Promise<unknown>): Promise<unknown> =>
  answer.catch((error: unknown) => (error as { code?: unknown }).code);
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('a place that gets free', () => {
  test.each([0, 1, 2, 3, 4, 5])(
    'is theirs who waited for it, whoever comes %i microtasks later',
    async (microtasks) => {
      const bulkhead = createBulkhead('db', { maxConcurrent: 1, maxQueue: 1 });
      const { promise, resolve } = Promise.withResolvers<void>();
      const first = bulkhead.execute(() => promise);
      const second = caught(bulkhead.execute(() => 'waited'));
      const newcomers = promise.then(async () => {
        for (let hop = 0; hop < microtasks; hop++) await Promise.resolve();
        return [caught(bulkhead.execute(turn)), caught(bulkhead.execute(() => 'last'))];
      });
      resolve();
      expect(await second).toBe('waited');
      const ends = await Promise.all(await newcomers);
      expect(ends.every((end) => end === undefined || end === 'last' || end === 'SAGE_RECOVERY_BULKHEAD_FULL')).toBe(
        true,
      );
      await first;
      expect(bulkhead.snapshot()).toMatchObject({ active: 0, waiting: 0 });
      expect(await bulkhead.execute(() => 'free')).toBe('free');
    },
  );

  test('over any course, whoever has a place in the queue is served, in turn; no more run at once, and all places come back', async () => {
    const arrival = fc.record({ hops: fc.nat(6), turns: fc.nat(2), leaves: fc.boolean() });
    const course = fc.record({
      maxConcurrent: fc.integer({ min: 1, max: 3 }),
      maxQueue: fc.integer({ min: 1, max: 3 }),
      arrivals: fc.array(arrival, { minLength: 1, maxLength: 25 }),
    });
    await fc.assert(
      fc.asyncProperty(course, async ({ maxConcurrent, maxQueue, arrivals }) => {
        const bulkhead = createBulkhead('db', { maxConcurrent, maxQueue });
        const queued: number[] = [];
        const served: number[] = [];
        const refused: number[] = [];
        let running = 0;
        let most = 0;
        const calls = arrivals.map(async ({ hops, turns, leaves }, index) => {
          for (let hop = 0; hop < index * 2 + hops; hop++) await Promise.resolve();
          const controller = new AbortController();
          const { waiting } = bulkhead.snapshot();
          const answer = bulkhead.execute(async () => {
            served.push(index);
            most = Math.max(most, ++running);
            for (let passed = 0; passed < turns; passed++) await turn();
            running--;
          }, controller.signal);
          if (bulkhead.snapshot().waiting > waiting && !leaves) queued.push(index);
          if (leaves) controller.abort();
          if ((await caught(answer)) === 'SAGE_RECOVERY_BULKHEAD_FULL') refused.push(index);
        });
        await Promise.all(calls);
        await turn();
        expect(refused.filter((index) => queued.includes(index))).toEqual([]);
        expect(served.filter((index) => queued.includes(index))).toEqual(queued);
        expect(most).toBeLessThanOrEqual(maxConcurrent);
        expect(bulkhead.snapshot()).toMatchObject({ active: 0, waiting: 0 });
      }),
      { numRuns: 500 },
    );
  });
});
