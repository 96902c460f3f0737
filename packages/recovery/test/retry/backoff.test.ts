import { describe, expect, test } from '@jest/globals';
import { handleAll, type IBackoff, retry } from 'cockatiel';
import fc from 'fast-check';
import { createBackoff, type BackoffOptions } from '../../src/index.ts';

function waits(count: number, options: BackoffOptions): number[] {
  let step = createBackoff(options).next(undefined);
  return Array.from({ length: count }, () => {
    const { duration } = step;
    step = step.next(undefined);
    return duration;
  });
}

const options = fc.record({
  baseMs: fc.double({ min: 1, max: 1_000, noNaN: true }),
  multiplier: fc.double({ min: 1, max: 5, noNaN: true }),
  maxMs: fc.double({ min: 1_000, max: 60_000, noNaN: true }),
  seed: fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 1, maxLength: 20 }),
});

const seeded = (numbers: readonly number[]) => {
  let index = 0;
  return () => numbers[index++ % numbers.length] ?? 0;
};

describe('backoff', () => {
  test('ER2: without jitter the waits grow by the multiplier, up to the most', () => {
    expect(waits(5, { jitter: 'none', baseMs: 100, multiplier: 3, maxMs: 2_000 })).toEqual([
      100, 300, 900, 2_000, 2_000,
    ]);
  });

  test.each([
    ['full', 0, 1],
    ['equal', 0.5, 1],
  ] as const)(
    'ER1 ER2: %s jitter spreads each wait over its range, with the multiplier honoured',
    (jitter, from, to) => {
      fc.assert(
        fc.property(options, ({ seed, ...shape }) => {
          waits(8, { ...shape, jitter, random: seeded(seed) }).forEach((wait, index) => {
            const plain = Math.min(shape.maxMs, shape.baseMs * shape.multiplier ** index);
            expect(wait).toBeGreaterThanOrEqual(plain * from - 1e-6);
            expect(wait).toBeLessThanOrEqual(plain * to + 1e-6);
          });
        }),
      );
    },
  );

  test('ER1 ER2: decorrelated jitter stays between the first wait and the multiple of the one before', () => {
    fc.assert(
      fc.property(options, ({ seed, ...shape }) => {
        let previous = shape.baseMs;
        for (const wait of waits(8, { ...shape, jitter: 'decorrelated', random: seeded(seed) })) {
          expect(wait).toBeGreaterThanOrEqual(Math.min(shape.maxMs, shape.baseMs) - 1e-6);
          expect(wait).toBeLessThanOrEqual(
            Math.min(shape.maxMs, Math.max(shape.baseMs, previous * shape.multiplier)) + 1e-6,
          );
          previous = wait;
        }
      }),
    );
  });

  test.each(['none', 'full', 'equal', 'decorrelated'] as const)(
    'no first delay is none for as long as it is asked, under the jitter %s',
    (jitter) => {
      let wait: IBackoff<unknown> = createBackoff({ jitter, baseMs: 0 }).next(undefined);
      for (let attempt = 0; attempt < 1_100; attempt++) wait = wait.next(undefined);
      expect(wait.duration).toBe(0);
    },
  );

  test('SH3: it is a backoff of cockatiel, and cockatiel waits by it', async () => {
    const delays: number[] = [];
    const policy = retry(handleAll, {
      maxAttempts: 3,
      backoff: createBackoff({ jitter: 'none', baseMs: 1, multiplier: 3 }),
    });
    policy.onRetry((event) => void ('delay' in event && delays.push(event.delay)));
    await policy.execute(() => Promise.reject(new Error('x'))).catch(() => {});
    expect(delays).toEqual([1, 3, 9]);
  });

  test.each([
    [{ baseMs: -1 }, 'baseMs'],
    [{ baseMs: 10, maxMs: 5 }, 'maxMs'],
    [{ multiplier: 0.5 }, 'multiplier'],
    [{ jitter: 'some' as never }, 'jitter'],
    [{ jitter: 'constructor' as never }, 'jitter'],
  ])('a bad option is named: %j', (bad, name) => {
    expect(() => createBackoff(bad)).toThrow(name);
  });
});
