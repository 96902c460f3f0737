/** What of cockatiel runs where nothing is set, and that policies compose both ways. */
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import {
  bulkhead,
  BulkheadPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  fallback,
  handleAll,
  type IDefaultPolicyContext,
  type IPolicy,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import { createDependency } from '../src/dependency/index.ts';
import { createCircuitBreaker, createRetry } from '../src/index.ts';

const busy = Object.assign(new Error('busy'), { status: 503 });

afterEach(() => {
  jest.restoreAllMocks();
});

describe('SH3: cockatiel carries the default path', () => {
  test('its backoff says how long each wait is', async () => {
    const asked = jest.spyOn(ExponentialBackoff.prototype, 'next');
    const clock = createFakeClock();
    let tries = 0;
    const answer = createDependency('openai', { clock }).execute(() =>
      ++tries < 3 ? Promise.reject(busy) : Promise.resolve('answered'),
    );
    await clock.advanceAsync(10_000);
    expect([await answer, tries]).toEqual(['answered', 3]);
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockImplementation(() => {
      throw new Error('no backoff');
    });
    const without = createDependency('openai', { clock, retry: { budget: false } });
    await expect(without.execute(() => Promise.reject(busy))).rejects.toThrow('no backoff');
  });

  test('its bulkhead gives each call its place', async () => {
    const admitted = jest.spyOn(BulkheadPolicy.prototype, 'execute');
    const dependency = createDependency('openai', { bulkhead: { maxConcurrent: 2 } });
    expect(await dependency.execute(() => 'answered')).toBe('answered');
    expect(admitted).toHaveBeenCalledTimes(1);
    admitted.mockRejectedValue(new Error('no bulkhead'));
    await expect(dependency.execute(() => 'answered')).rejects.toThrow('no bulkhead');
  });
});

describe('SH3: policies compose both ways', () => {
  type AnyPolicy = IPolicy<IDefaultPolicyContext, unknown>;
  const theirs: [string, () => AnyPolicy][] = [
    ['retry', () => retry(handleAll, { maxAttempts: 2 })],
    ['circuitBreaker', () => circuitBreaker(handleAll, { halfOpenAfter: 1_000, breaker: new ConsecutiveBreaker(9) })],
    ['timeout', () => timeout(5_000, TimeoutStrategy.Cooperative)],
    ['bulkhead', () => bulkhead(2)],
    ['fallback', () => fallback(handleAll, 'answered')],
  ];
  const ours: [string, () => AnyPolicy][] = [
    ['createRetry', () => createRetry({ budget: false, baseMs: 0, maxMs: 0 })],
    ['createCircuitBreaker', () => createCircuitBreaker('openai')],
  ];
  const pairs = theirs.flatMap(([their, makeTheirs]) =>
    ours.map(([our, makeOurs]) => [their, our, makeTheirs, makeOurs] as const),
  );

  test.each(pairs)('%s and %s', async (_, __, makeTheirs, makeOurs) => {
    for (const order of [(a: AnyPolicy, b: AnyPolicy) => wrap(a, b), (a: AnyPolicy, b: AnyPolicy) => wrap(b, a)]) {
      const policy = order(makeTheirs(), makeOurs());
      expect(await policy.execute(({ signal }) => `answered, aborted: ${signal.aborted}`)).toBe(
        'answered, aborted: false',
      );
      const wrongKey = Object.assign(new Error('wrong key'), { status: 401 });
      const failed = await policy.execute(() => Promise.reject(wrongKey)).catch((error: unknown) => error);
      expect([wrongKey, 'answered']).toContain(failed);
    }
  });
});
