import { describe, expect, test } from '@jest/globals';
import type { BreakerPermit } from '@sage-adk/core';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import { type BreakerOptions, createCircuitBreaker } from '../../src/index.ts';

const busy = Object.assign(new Error('busy'), { status: 503 });

/** A breaker that rests for half a second. */
function resting(options: BreakerOptions = {}) {
  const clock = createFakeClock();
  const breaker = createCircuitBreaker('openai', { minCalls: 4, openMs: 1_000, random: () => 0, clock, ...options });
  for (let call = 0; call < 4; call++) breaker.tryAcquire()?.fail(busy);
  const startMs = clock.monotonicMs();
  const served: string[] = [];
  const permits: BreakerPermit[] = [];
  const join = (name: string, waitMs: number, more: { deadlineMs?: number; signal?: AbortSignal } = {}) => {
    const deadlineMs = more.deadlineMs === undefined ? {} : { deadlineMs: startMs + more.deadlineMs };
    const wait = breaker.acquire({ untilMs: startMs + waitMs, ...more, ...deadlineMs });
    return wait.then(
      (permit) => {
        permits.push(permit);
        served.push(`${name} at ${clock.monotonicMs() - startMs}`);
      },
      (error: unknown) => {
        served.push(`${name} ${(error as Error).name} at ${clock.monotonicMs() - startMs}`);
      },
    );
  };
  return { clock, breaker, join, served, permits };
}

describe('ER22: callers that wait for a permit', () => {
  test('are served in the order they came, the moment there is one', async () => {
    const { clock, breaker, join, served, permits } = resting();
    for (const name of ['a', 'b', 'c', 'd']) void join(name, 5_000);
    expect(breaker.snapshot().waiting).toBe(4);
    await clock.advanceAsync(499);
    expect(served).toEqual([]);
    await clock.advanceAsync(101);
    expect(served).toEqual(['a at 500']);
    permits[0]?.succeed();
    await clock.advanceAsync(0);
    expect(served).toEqual(['a at 500', 'b at 600', 'c at 600']);
    permits[1]?.release();
    await clock.advanceAsync(0);
    expect(served.at(-1)).toBe('d at 600');
    expect(breaker.snapshot()).toMatchObject({ waiting: 0, rejected: 0 });
  });

  test('wait on through a try that fails, and are refused when their wait is over', async () => {
    const { clock, breaker, join, served, permits } = resting();
    void join('a', 5_000);
    void join('b', 5_000);
    void join('c', 1_200);
    await clock.advanceAsync(500);
    permits[0]?.fail(busy);
    await clock.advanceAsync(1_500);
    expect(served).toEqual(['a at 500', 'c SageError at 1200', 'b at 1500']);
    expect(breaker.snapshot().rejected).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('are refused rather than served where an answer could not come before their deadline', async () => {
    const { clock, breaker, join, served, permits } = resting();
    void join('a', 5_000);
    void join('late', 5_000, { deadlineMs: 1_600 });
    void join('b', 5_000);
    void join('c', 5_000, { deadlineMs: 4_000 });
    await clock.advanceAsync(1_500);
    permits[0]?.succeed();
    await clock.advanceAsync(0);
    expect(served).toEqual(['a at 500', 'late SageError at 1500', 'b at 1500', 'c at 1500']);
    expect(breaker.snapshot().rejected).toBe(1);
  });

  test('an abort ends the wait before the clock moves, and takes no permit', async () => {
    const { clock, breaker, join, served } = resting();
    const controller = new AbortController();
    const left = join('a', 5_000, { signal: controller.signal });
    controller.abort();
    await left;
    expect(served).toEqual(['a AbortError at 0']);
    expect([breaker.snapshot().waiting, clock.pending]).toEqual([0, 0]);
    await join('b', 5_000, { signal: AbortSignal.abort() });
    expect(served.at(-1)).toBe('b AbortError at 0');
  });

  test('a try that hangs gives its place to the next after its timeout', async () => {
    const { clock, join, served } = resting({ probeTimeoutMs: 2_000, maxOpenMs: 1_000 });
    void join('a', 9_000);
    void join('b', 9_000);
    await clock.advanceAsync(4_000);
    expect(served).toEqual(['a at 500', 'b at 3000']);
  });

  test('nobody waits for a breaker that is forced open or closed down', async () => {
    const { breaker, join, served } = resting();
    const first = join('a', 5_000);
    breaker.forceOpen('by hand');
    await first;
    await join('b', 5_000);
    breaker.reset();
    await join('c', 5_000);
    expect(served).toEqual(['a SageError at 0', 'b SageError at 0', 'c at 0']);
  });
});

test('ER21: an outage is one opening to observers, however many tries fail meanwhile', async () => {
  using recorded = recordOperations();
  const { clock, breaker } = resting({ maxOpenMs: 1_000 });
  for (let attempt = 0; attempt < 20; attempt++) {
    await clock.advanceAsync(1_000);
    breaker.tryAcquire()?.fail(busy);
  }
  await clock.advanceAsync(1_000);
  breaker.tryAcquire()?.succeed();
  expect(recorded.emitted('breaker.changed').map(({ from, to }) => `${from} ${to}`)).toEqual([
    'closed open',
    'open recovering',
  ]);
});

test('ER19: fifteen failures in a row open it at once, whatever the window still holds', () => {
  const clock = createFakeClock();
  const breaker = createCircuitBreaker('openai', { clock });
  for (let call = 0; call < 1_000; call++) breaker.tryAcquire()?.succeed();
  for (let call = 0; call < 14; call++) breaker.tryAcquire()?.fail(busy);
  expect(breaker.state).toBe('closed');
  breaker.tryAcquire()?.fail(busy);
  expect(breaker.state).toBe('open');
});
