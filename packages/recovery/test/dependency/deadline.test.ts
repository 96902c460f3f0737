import { describe, expect, test } from '@jest/globals';
import { run } from '@sage-adk/core';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import { createDependency, type DependencyOptions } from '../../src/dependency/index.ts';
import { createRetry } from '../../src/index.ts';

const busy = Object.assign(new Error('busy'), { status: 503 });
const caught = (answer: Promise<unknown>): Promise<unknown> => answer.catch((error: unknown) => error);

function make(options: DependencyOptions = {}) {
  const clock = createFakeClock();
  const dependency = createDependency('pay', { retry: false, breaker: false, random: () => 0, clock, ...options });
  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(resolve, ms));
  return { clock, dependency, sleep };
}

describe('no try starts after the deadline', () => {
  const oneAtATime = { bulkhead: { maxConcurrent: 1, maxQueue: 2 } } as const;

  test('a call that waits for its place hears its deadline, and is not made when its turn comes', async () => {
    using recorded = recordOperations();
    const { clock, dependency, sleep } = make(oneAtATime);
    const first = dependency.execute(() => sleep(600));
    let charged = false;
    const second = caught(dependency.execute(() => (charged = true), { deadlineMs: 50 }));
    await clock.advanceAsync(60);
    expect(await second).toMatchObject({
      code: 'SAGE_DEADLINE_EXCEEDED',
      details: { operation: 'pay', timeoutMs: 50 },
    });
    expect(recorded.emitted('timeout.fired')).toEqual([{ operation: 'pay', timeoutMs: 50 }]);
    expect(recorded.named('queue.wait').map(({ outcome }) => outcome)).toEqual(['timeout']);
    await clock.advanceAsync(1_000);
    await first;
    expect([charged, dependency.bulkhead?.snapshot().waiting, clock.pending]).toEqual([false, 0, 0]);
  });

  test('a call that calls itself within its own place ends at its deadline, and the next one has the place', async () => {
    const { clock, dependency } = make({ ...oneAtATime, deadlineMs: 100 });
    const inner = caught(dependency.execute(() => dependency.execute(() => 'inner')));
    await clock.advanceAsync(110);
    expect(await inner).toMatchObject({ code: 'SAGE_DEADLINE_EXCEEDED' });
    expect(await dependency.execute(() => 'next')).toBe('next');
    expect(dependency.bulkhead?.snapshot()).toMatchObject({ active: 0, waiting: 0 });
  });

  test('of the context too, where it waits and where it has passed', async () => {
    const { clock, dependency, sleep } = make(oneAtATime);
    const first = dependency.execute(() => sleep(600));
    const second = run({ deadlineMs: clock.monotonicMs() + 50 }, () => caught(dependency.execute(() => 'made')));
    await clock.advanceAsync(60);
    expect(await second).toMatchObject({ code: 'SAGE_DEADLINE_EXCEEDED' });
    await clock.advanceAsync(600);
    await first;
    const passed = run({ deadlineMs: clock.monotonicMs() }, () => caught(dependency.execute(() => 'made')));
    expect(await passed).toMatchObject({ code: 'SAGE_DEADLINE_EXCEEDED' });
  });

  test('a call whose caller leaves while it waits is told why', async () => {
    const { dependency, clock, sleep } = make({ ...oneAtATime, deadlineMs: 1_000 });
    const first = dependency.execute(() => sleep(600));
    const controller = new AbortController();
    const second = caught(dependency.execute(() => 'made', { signal: controller.signal }));
    controller.abort('left');
    expect(await second).toBe('left');
    await clock.advanceAsync(600);
    await first;
    expect(clock.pending).toBe(0);
  });

  test('a call that has its place at once sets no timer for its deadline', async () => {
    const { clock, dependency } = make({ ...oneAtATime, deadlineMs: 1_000 });
    expect(await dependency.execute(() => clock.pending)).toBe(0);
  });

  test('a late try asks for no permit', async () => {
    const { clock, dependency } = make({ breaker: { minCalls: 1, openMs: 10 } });
    await caught(dependency.execute(() => Promise.reject(busy)));
    clock.advance(100);
    const late = caught(dependency.execute(() => 1, { deadlineMs: 0 }));
    expect(await late).toMatchObject({ code: 'SAGE_DEADLINE_EXCEEDED' });
    expect(dependency.breaker?.snapshot()).toMatchObject({ state: { name: 'open' }, rejected: 0 });
  });

  test('a retry alone starts none after its own deadline, nor again after a wait; a first one after that of the context is left to its signal', async () => {
    const clock = createFakeClock();
    let tries = 0;
    const retry = createRetry({ jitter: 'none', baseMs: 100, budget: false, clock });
    const call = (deadlineMs: number) =>
      caught(retry.execute(() => Promise.reject((tries++, busy)), { dependency: 'pay', deadlineMs }));
    expect(await call(clock.monotonicMs())).toMatchObject({ code: 'SAGE_DEADLINE_EXCEEDED' });
    expect(tries).toBe(0);
    expect(
      await run({ deadlineMs: clock.monotonicMs() }, () => caught(retry.execute(() => 'left to its signal'))),
    ).toBe('left to its signal');
    const overslept = call(clock.monotonicMs() + 150);
    await clock.advanceAsync(0);
    // As a busy event loop has it: no timer runs until it is too late.
    clock.setTimer(() => clock.advance(100), 99);
    await clock.advanceAsync(100);
    expect([await overslept, tries]).toEqual([busy, 1]);
  });
});

describe('a timeout of a try', () => {
  const retry = { jitter: 'none', baseMs: 1, budget: false } as const;
  const never = (): Promise<never> => new Promise<never>(() => {});

  test.each([
    ['is one charge', false, 1],
    ['is tried again where that is harmless', true, 3],
  ])('%s, whether the call ignores it or a stream has no first chunk', async (_, idempotent, tries) => {
    const { clock, dependency } = make({ timeoutMs: 50, timeoutMode: 'strict', retry: { ...retry, idempotent } });
    let charges = 0;
    const late = caught(dependency.execute(() => (charges++, never())));
    await clock.advanceAsync(1_000);
    expect(await late).toMatchObject({ code: 'SAGE_DEADLINE_EXCEEDED' });
    let opened = 0;
    const silent = dependency.stream(() => (opened++, { [Symbol.asyncIterator]: () => ({ next: never }) }));
    const first = caught(Promise.resolve(silent[Symbol.asyncIterator]().next()));
    await clock.advanceAsync(1_000);
    expect(await first).toMatchObject({ code: 'SAGE_DEADLINE_EXCEEDED' });
    expect([charges, opened]).toEqual([tries, tries]);
  });
});

describe('a deadline that is no number', () => {
  test.each([false, { maxAttempts: 1 }] as const)(
    'is refused before anything is taken, with retry %j',
    async (retry) => {
      const { clock, dependency } = make({ retry, breaker: { minCalls: 1, openMs: 10 } });
      await caught(dependency.execute(() => Promise.reject(busy), { deadlineMs: 1 }));
      clock.advance(100);
      const bad = await caught(dependency.execute(() => 1, { deadlineMs: Number.NaN }));
      expect(bad).toMatchObject({ code: 'SAGE_CORE_INVALID_OPTION', details: { option: 'deadlineMs' } });
      expect(dependency.breaker?.snapshot().probing).toBe(0);
      expect(await dependency.execute(() => 'ok')).toBe('ok');
    },
  );
});
