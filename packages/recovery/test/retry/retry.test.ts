import { describe, expect, test } from '@jest/globals';
import { run } from '@sage-adk/core';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import { createRetry } from '../../src/index.ts';

const busy = (more: object = {}): Error => Object.assign(new Error('busy'), { status: 503, ...more });
const exact = { jitter: 'none', baseMs: 100, multiplier: 2 } as const;

/** Fails as often as told, then answers; remembers when it was called. */
function flaky(failures: readonly unknown[], clock: { monotonicMs(): number }) {
  const calledAtMs: number[] = [];
  const startMs = clock.monotonicMs();
  return {
    calledAtMs,
    call: async () => {
      calledAtMs.push(clock.monotonicMs() - startMs);
      if (calledAtMs.length <= failures.length) throw failures[calledAtMs.length - 1];
      return 'answer';
    },
  };
}

describe('a retried call', () => {
  test('ER25: a transient error is tried again after the backoff', async () => {
    const clock = createFakeClock();
    const { call, calledAtMs } = flaky([busy(), busy()], clock);
    const answer = createRetry({ ...exact, clock }).execute(call);
    await clock.advanceAsync(1_000);
    await expect(answer).resolves.toBe('answer');
    expect(calledAtMs).toEqual([0, 100, 300]);
  });

  test('ER3: a permanent error is the answer at once', async () => {
    const clock = createFakeClock();
    const error = Object.assign(new Error('no'), { status: 401 });
    const { call, calledAtMs } = flaky([error], clock);
    await expect(createRetry({ ...exact, clock }).execute(call)).rejects.toBe(error);
    expect(calledAtMs).toEqual([0]);
  });

  test('ER3: what may have had its effect is tried again only if that is harmless', async () => {
    const clock = createFakeClock();
    const timeout = new DOMException('late', 'TimeoutError');
    await expect(createRetry({ ...exact, clock }).execute(flaky([timeout], clock).call)).rejects.toBe(timeout);
    const answer = createRetry({ ...exact, clock, idempotent: true }).execute(flaky([timeout], clock).call);
    await clock.advanceAsync(1_000);
    await expect(answer).resolves.toBe('answer');
  });

  test('gives the error of the last try when all are used', async () => {
    const clock = createFakeClock();
    const last = busy();
    const answer = createRetry({ ...exact, clock, maxAttempts: 2 }).execute(flaky([busy(), last], clock).call);
    const settled = answer.catch((error: unknown) => error);
    await clock.advanceAsync(1_000);
    expect(await settled).toBe(last);
  });

  test('Retry-After is the least it waits', async () => {
    const clock = createFakeClock();
    const { call, calledAtMs } = flaky([busy({ headers: { 'retry-after': '5' } })], clock);
    const answer = createRetry({ ...exact, clock }).execute(call);
    await clock.advanceAsync(10_000);
    await answer;
    expect(calledAtMs).toEqual([0, 5_000]);
  });

  test('no try starts after the deadline of the context', async () => {
    const clock = createFakeClock();
    const { call, calledAtMs } = flaky([busy(), busy()], clock);
    const answer = run({ deadlineMs: clock.monotonicMs() + 250 }, () =>
      createRetry({ ...exact, clock }).execute(call),
    ).catch((error: unknown) => error);
    await clock.advanceAsync(1_000);
    expect(await answer).toMatchObject({ message: 'busy' });
    expect(calledAtMs).toEqual([0, 100]);
  });

  test('an abort ends the wait at once, and no call follows', async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const { call, calledAtMs } = flaky([busy()], clock);
    const answer = createRetry({ ...exact, clock })
      .execute(call, { signal: controller.signal })
      .catch((error: unknown) => error);
    await clock.advanceAsync(50);
    controller.abort();
    expect(await answer).toMatchObject({ name: 'AbortError' });
    await clock.advanceAsync(1_000);
    expect(calledAtMs).toEqual([0]);
    expect(clock.pending).toBe(0);
  });

  test('a caller that has left before the first try is not served', async () => {
    const { call, calledAtMs } = flaky([], createFakeClock());
    await expect(createRetry().execute(call, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(calledAtMs).toEqual([]);
  });

  test('OM22: each try is an operation that says why it failed and how long the wait is', async () => {
    const clock = createFakeClock();
    const recorded = recordOperations();
    const answer = createRetry({ ...exact, clock }).execute(flaky([busy()], clock).call, { dependency: 'openai' });
    await clock.advanceAsync(1_000);
    await answer;
    recorded[Symbol.dispose]();
    expect(
      recorded.operations.map(({ name, start, attributes, outcome, category }) => ({
        name,
        start,
        attributes,
        outcome,
        category,
      })),
    ).toEqual([
      {
        name: 'retry.attempt',
        start: { dependency: 'openai', attempt: 1 },
        attributes: { reason: 'overloaded', delayMs: 100 },
        outcome: 'error',
        category: 'transient',
      },
      {
        name: 'retry.attempt',
        start: { dependency: 'openai', attempt: 2 },
        attributes: {},
        outcome: 'ok',
        category: undefined,
      },
    ]);
  });

  test('a bad number of tries is refused', () => {
    expect(() => createRetry({ maxAttempts: 0 })).toThrow('maxAttempts');
  });
});
