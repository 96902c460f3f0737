/** What goes wrong in other retries and breakers, each by the letter it was reproduced under, as what holds here. */
import { describe, expect, test } from '@jest/globals';
import { sources } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { handleAll, retry, wrap } from 'cockatiel';
import { type BreakerOptions, createCircuitBreaker, createCircuitBreakers, createRetry } from '../src/index.ts';

const busy = Object.assign(new Error('busy'), { status: 503 });
const wrongKey = Object.assign(new Error('wrong key'), { status: 401 });
const exact = { jitter: 'none', baseMs: 100, multiplier: 2, budget: false } as const;

/** A breaker that opened at the fourth failure and rests half a second. */
function opened(options: BreakerOptions = {}) {
  const clock = createFakeClock();
  const breaker = createCircuitBreaker('openai', { minCalls: 4, openMs: 1_000, random: () => 0, clock, ...options });
  for (let call = 0; call < 4; call++) breaker.tryAcquire()?.fail(busy);
  expect(breaker.state).toBe('open');
  return { clock, breaker };
}

describe('defects A to H', () => {
  test.each(['none', 'full', 'equal'] as const)('A: the multiplier is honoured under the jitter %s', async (jitter) => {
    const clock = createFakeClock();
    const times: number[] = [];
    const rule = { ...exact, jitter, multiplier: 3, maxAttempts: 5, random: () => 0.999_999_9, clock };
    const answer = createRetry(rule)
      .execute(() => Promise.reject((times.push(clock.monotonicMs()), busy)))
      .catch(() => {});
    await clock.advanceAsync(60_000);
    await answer;
    expect(times.slice(1).map((at, index) => Math.round(at - (times[index] ?? 0)))).toEqual([100, 300, 900, 2_700]);
  });

  test('B: an abort ends the backoff before the clock moves, and no call follows it', async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    let calls = 0;
    let settled = false;
    const answer = createRetry({ ...exact, baseMs: 400, clock })
      .execute(() => Promise.reject((calls++, busy)), { signal: controller.signal })
      .catch(() => (settled = true));
    await clock.advanceAsync(50);
    controller.abort();
    await clock.advanceAsync(0);
    expect([settled, calls, clock.pending]).toEqual([true, 1, 0]);
    await clock.advanceAsync(10_000);
    await answer;
    expect(calls).toBe(1);
  });

  test('C: a first call of the recovery that fails for its own fault does not close the breaker', () => {
    const { breaker, clock } = opened();
    clock.advance(500);
    breaker.tryAcquire()?.fail(wrongKey);
    expect(breaker.state).toBe('recovering');
    expect(breaker.tryAcquire()).toBeDefined();
    expect(breaker.tryAcquire()).toBeUndefined();
  });

  test('D: while a call of the recovery hangs nobody waits for it, and its answer does not let everybody in', async () => {
    const { breaker, clock } = opened();
    clock.advance(500);
    let answer = (): void => {};
    const hanging = breaker.execute(() => new Promise<void>((resolve) => (answer = resolve)));
    const others = await Promise.allSettled(Array.from({ length: 200 }, () => breaker.execute(() => 1)));
    expect(others.filter(({ status }) => status === 'rejected')).toHaveLength(200);
    answer();
    await hanging;
    let atOnce = 0;
    const hang = (): Promise<void> => (atOnce++, new Promise(() => {}));
    for (let call = 0; call < 200; call++) breaker.execute(hang).catch(() => {});
    expect(atOnce).toBe(2);
  });

  test('D: a call of the recovery that never answers holds its place no longer than its timeout', () => {
    const { breaker, clock } = opened({ probeTimeoutMs: 2_000 });
    clock.advance(500);
    expect(breaker.tryAcquire()).toBeDefined();
    clock.advance(2_000);
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(breaker.state).toBe('open');
  });

  test('E: failures of an hour ago say nothing in a window of ten seconds', () => {
    const clock = createFakeClock();
    const breaker = createCircuitBreaker('openai', { windowMs: 10_000, minCalls: 2, failureRatio: 0.9, clock });
    breaker.tryAcquire()?.succeed();
    for (let call = 0; call < 8; call++) breaker.tryAcquire()?.fail(busy);
    clock.advance(3_600_000);
    breaker.tryAcquire()?.succeed();
    breaker.tryAcquire()?.fail(busy);
    expect(breaker.snapshot()).toMatchObject({ state: { name: 'closed' }, successes: 1, failures: 1 });
  });

  test('F: a call from before the outage that fails late neither opens a recovering breaker nor makes it deaf', () => {
    const clock = createFakeClock();
    const breaker = createCircuitBreaker('openai', { minCalls: 4, openMs: 1_000, random: () => 0, clock });
    const early = breaker.tryAcquire();
    for (let call = 0; call < 4; call++) breaker.tryAcquire()?.fail(busy);
    clock.advance(500);
    const first = breaker.tryAcquire();
    early?.fail(busy);
    expect(breaker.state).toBe('recovering');
    first?.succeed();
    expect(breaker.snapshot().state).toMatchObject({ name: 'recovering', window: 2 });
  });

  test('G: every rejected call is counted, and told to metrics', async () => {
    using breakers = disposable(createCircuitBreakers({ minCalls: 1 }));
    const breaker = breakers.of('openai');
    await breaker.execute(() => Promise.reject(busy)).catch(() => {});
    for (let call = 0; call < 6; call++) await breaker.execute(() => 1).catch(() => {});
    expect(breaker.snapshot().rejected).toBe(6);
    const offered = [...sources()].filter(({ name }) => name === 'recovery.breaker');
    expect(JSON.stringify(offered.map((source) => source.read()))).toContain('"openai.rejected":6');
  });

  test('H: no try of a retry is spent on an open breaker', async () => {
    const { breaker } = opened();
    let tries = 0;
    const policy = createRetry({ ...exact, maxAttempts: 4 });
    const call = () => (tries++, breaker.execute(() => 1));
    await expect(policy.execute(call)).rejects.toMatchObject({ code: 'SAGE_RECOVERY_BREAKER_OPEN' });
    expect(tries).toBe(1);
  });

  test("H: where cockatiel's retry is around ours, its tries reach no dependency that rests", async () => {
    const { breaker } = opened();
    let calls = 0;
    const policy = wrap(retry(handleAll, { maxAttempts: 2 }), breaker);
    await expect(policy.execute(() => calls++)).rejects.toMatchObject({ code: 'SAGE_RECOVERY_BREAKER_OPEN' });
    expect(calls).toBe(0);
  });
});

function disposable<T extends { close(): void }>(subject: T): T & Disposable {
  return Object.assign(subject, { [Symbol.dispose]: () => subject.close() });
}
