import { describe, expect, test } from '@jest/globals';
import { deadlineErrors } from '@sage-adk/core/deadline';
import { createFakeClock } from '@sage-adk/core/testing';
import { BrokenCircuitError, circuitBreaker, ConsecutiveBreaker, handleAll, retry, wrap } from 'cockatiel';
import fc from 'fast-check';
import { createRetry, type RetryOptions } from '../../src/index.ts';

const failing = (fields: object): Error => Object.assign(new Error('failed'), fields);
const exact = { jitter: 'none', baseMs: 100, multiplier: 2, budget: false } as const;

async function callTimes(error: unknown, options: RetryOptions): Promise<number[]> {
  const clock = createFakeClock();
  const startMs = clock.monotonicMs();
  const times: number[] = [];
  const answer = createRetry({ ...exact, ...options, clock })
    .execute(() => Promise.reject((times.push(clock.monotonicMs() - startMs), error)))
    .catch(() => {});
  await clock.advanceAsync(60_000);
  await answer;
  return times;
}

describe('ER3: the rule of a reason', () => {
  const byReason: RetryOptions['byReason'] = {
    rate_limited: { maxAttempts: 4, baseMs: 1_000 },
    server: false,
    auth: { always: true, maxAttempts: 2, baseMs: 0 },
    caller: { always: true },
  };

  test.each([
    ['as for all others where it has none', 529, [0, 100, 300]],
    ['has its own count and waits', 429, [0, 1_000, 3_000, 7_000]],
    ['may be not to try again', 500, [0]],
    ['may be to try again against the classifier', 401, [0, 0]],
  ])('%s', async (_, status, times) => {
    expect(await callTimes(failing({ status }), { byReason })).toEqual(times);
  });

  test('a timeout of ours is tried again only where that is harmless, as any other', async () => {
    const late = deadlineErrors.EXCEEDED({ operation: 'pay', timeoutMs: 50 });
    expect(await callTimes(late, {})).toEqual([0]);
    expect(await callTimes(late, { idempotent: true })).toEqual([0, 100, 300]);
  });

  test("the error of a call that nobody can read is still its caller's", async () => {
    const unreadable: unknown = Object.assign(Object.create(null), { code: 'constructor', status: 401 });
    const answer = createRetry(exact).execute(() => Promise.reject(unreadable as Error));
    expect(await answer.catch((error: unknown) => error)).toBe(unreadable);
  });

  test('never tries again after an abort', async () => {
    expect(await callTimes(new DOMException('left', 'AbortError'), { byReason })).toEqual([0]);
  });

  test('a bad one is refused', () => {
    expect(() => createRetry({ byReason: { server: { maxAttempts: 0 } } })).toThrow('maxAttempts');
    const misspelt = { overload: false } as RetryOptions['byReason'];
    expect(() => createRetry({ byReason: misspelt as never })).toThrow(/byReason is "overload".*overloaded/);
  });
});

describe('what goes wrong elsewhere', () => {
  test.each(['none', 'full', 'equal', 'decorrelated'] as const)(
    'ER2: the multiplier counts under the jitter %s',
    async (jitter) => {
      const times = await callTimes(failing({ status: 503 }), {
        jitter,
        multiplier: 3,
        maxAttempts: 4,
        random: () => 0.999_999,
      });
      const waits = times.slice(1).map((at, index) => Math.round(at - (times[index] ?? 0)));
      expect(waits).toEqual(jitter === 'decorrelated' ? [300, 900, 2_700] : [100, 300, 900]);
    },
  );

  test('ER3: over any course, an abort settles the call before the clock moves, and no try starts after it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2_000),
        fc.constantFrom('none', 'full', 'equal', 'decorrelated'),
        async (abortMs, jitter) => {
          const clock = createFakeClock();
          const controller = new AbortController();
          let late = 0;
          const settled = createRetry({ ...exact, jitter, maxMs: 500, maxAttempts: 1_000_000, clock })
            .execute(
              () => {
                if (controller.signal.aborted) late++;
                return Promise.reject(failing({ status: 503 }));
              },
              { signal: controller.signal },
            )
            .catch((error: unknown) => error);
          await clock.advanceAsync(abortMs);
          controller.abort();
          expect(await settled).toMatchObject({ name: 'AbortError' });
          expect([late, clock.pending]).toEqual([0, 0]);
        },
      ),
    );
  });

  test("ER3: no try is spent on an open breaker, ours around cockatiel's", async () => {
    let calls = 0;
    const breaker = circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(1) });
    breaker.onFailure(() => void calls++);
    const policy = wrap(createRetry({ ...exact, baseMs: 0, maxMs: 0, maxAttempts: 5 }), breaker);
    let made = 0;
    const fail = () => Promise.reject((made++, failing({ status: 503 })));
    await expect(policy.execute(fail)).rejects.toBeInstanceOf(BrokenCircuitError);
    await expect(policy.execute(fail)).rejects.toBeInstanceOf(BrokenCircuitError);
    expect([made, calls]).toEqual([1, 1]);
  });
});

describe('SH3: it is a policy of cockatiel', () => {
  test('inside of one, and it tells how calls ended', async () => {
    const clock = createFakeClock();
    const ours = createRetry({ ...exact, clock });
    const told: string[] = [];
    const succeeded = ours.onSuccess(({ duration }) => void told.push(`ok ${duration >= 0}`));
    ours.onFailure(({ handled }) => void told.push(`failed ${handled}`));
    const policy = wrap(retry(handleAll, { maxAttempts: 1 }), ours);
    expect(await policy.execute(({ attempt }) => attempt)).toBe(1);
    succeeded.dispose();
    await policy.execute(() => 1);
    await policy.execute(() => Promise.reject(failing({ status: 401 }))).catch(() => {});
    expect(told).toEqual(['ok true', 'failed false', 'failed false']);
  });

  test('hands on the signal of the policy around it', async () => {
    const controller = new AbortController();
    const policy = wrap(retry(handleAll, { maxAttempts: 1 }), createRetry());
    expect(await policy.execute(({ signal }) => signal, controller.signal)).toBe(controller.signal);
  });
});
