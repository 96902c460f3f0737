import { describe, expect, jest, test } from '@jest/globals';
import { run, sources } from '@sage-adk/core';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import { BulkheadPolicy, ExponentialBackoff } from 'cockatiel';
import fc from 'fast-check';
import { createDependency, type DependencyOptions } from '../../src/dependency/index.ts';
import { createBulkhead, createCircuitBreakers } from '../../src/index.ts';
import { read } from '../support/read.ts';

const busy = Object.assign(new Error('busy'), { status: 503 });
const exact = { jitter: 'none', baseMs: 100, multiplier: 2, budget: false } as const;

function make(options: DependencyOptions = {}) {
  const clock = createFakeClock();
  const dependency = createDependency('openai', { retry: exact, random: () => 0, clock, ...options });
  return { clock, dependency };
}

/** More runs for those who have the time: `SAGE_FUZZ_RUNS=100000`. */
const fuzzedRuns = Number(process.env['SAGE_FUZZ_RUNS'] ?? 200);

const caught = (answer: Promise<unknown>): Promise<unknown> => answer.catch((error: unknown) => error);

describe('a call of a dependency', () => {
  test('ER3 ER19: is tried again, each try with a permit and the same idempotency key', async () => {
    const { clock, dependency } = make({ breaker: { minCalls: 2, openMs: 100 } });
    const keys: string[] = [];
    const answer = dependency.execute(({ attempt, idempotencyKey, dependency: name }) => {
      keys.push(idempotencyKey);
      if (attempt === 1) throw busy;
      return `${name} ${attempt}`;
    });
    await clock.advanceAsync(1_000);
    expect(await answer).toBe('openai 2');
    expect(keys[0]).toBe(keys[1]);
    expect(dependency.breaker?.snapshot()).toMatchObject({ successes: 1, failures: 1 });
  });

  test('ER19: spends no try on its open breaker', async () => {
    using recorded = recordOperations();
    const { dependency } = make({ breaker: { minCalls: 1 } });
    dependency.breaker?.forceOpen('test');
    expect(await caught(dependency.execute(() => 1))).toMatchObject({ code: 'SAGE_RECOVERY_BREAKER_OPEN' });
    expect(recorded.named('retry.attempt').map(({ outcome, attributes }) => [outcome, attributes.reason])).toEqual([
      ['denied', 'rejected'],
    ]);
  });

  test('ER22: may wait for a permit while the dependency recovers', async () => {
    const { clock, dependency } = make({ retry: false, permitWaitMs: 2_000, breaker: { minCalls: 1, openMs: 800 } });
    await caught(dependency.execute(() => Promise.reject(busy)));
    const answer = dependency.execute(() => clock.monotonicMs());
    await clock.advanceAsync(1_000);
    expect(await answer).toBeGreaterThanOrEqual(1_400);
    const hasty = run({ deadlineMs: clock.monotonicMs() + 100 }, () => {
      dependency.breaker?.forceOpen('test');
      return dependency.execute(() => 1);
    });
    expect(await caught(hasty)).toMatchObject({ outcome: 'denied' });
  });

  test('the signal of a try aborts at its timeout, and a call that never reads it sets no timer', async () => {
    const { clock, dependency } = make({ timeoutMs: 200, retry: false });
    const late = caught(
      dependency.execute((context) => {
        expect(context.remainingMs()).toBe(200);
        const { signal } = context;
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      }),
    );
    await clock.advanceAsync(220);
    expect(await late).toMatchObject({ name: 'TimeoutError' });
    expect(dependency.breaker?.snapshot().failures).toBe(1);
    await dependency.execute(async () => expect(clock.pending).toBe(0));
  });

  test('a strict timeout stops to wait for a call that ignores it', async () => {
    const { clock, dependency } = make({ timeoutMs: 200, timeoutMode: 'strict', retry: false });
    const late = caught(dependency.execute(() => new Promise(() => {})));
    await clock.advanceAsync(220);
    expect(await late).toMatchObject({ code: 'SAGE_DEADLINE_EXCEEDED', outcome: 'timeout' });
  });

  test('no try starts after the deadline of the call', async () => {
    const { clock, dependency } = make({ deadlineMs: 250 });
    let tries = 0;
    const answer = caught(dependency.execute(() => Promise.reject((tries++, busy))));
    await clock.advanceAsync(10_000);
    expect([await answer, tries]).toEqual([busy, 2]);
  });

  test('over any course, nothing starts after the deadline or an abort, and an abort settles before the clock moves', async () => {
    const course = fc.record({
      deadlineMs: fc.integer({ min: 1, max: 3_000 }),
      abortMs: fc.option(fc.integer({ min: 0, max: 3_000 }), { nil: undefined }),
      tookMs: fc.array(fc.nat(400), { minLength: 1, maxLength: 10 }),
      permitWaitMs: fc.constantFrom(0, 500),
      breaker: fc.constantFrom(false as const, { minCalls: 2, openMs: 50 }),
      // Somebody has the only place for so long.
      heldMs: fc.option(fc.nat(4_000), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(course, async ({ deadlineMs, abortMs, tookMs, permitWaitMs, breaker, heldMs }) => {
        const rule = { ...exact, idempotent: true, baseMs: 10, maxMs: 300, maxAttempts: 50 };
        const narrow = heldMs !== undefined && { bulkhead: { maxConcurrent: 1, maxQueue: 1 } };
        const { clock, dependency } = make({ retry: rule, deadlineMs, permitWaitMs, breaker, ...narrow });
        const held = dependency.execute(() => new Promise<void>((resolve) => clock.setTimer(resolve, heldMs ?? 0)));
        const controller = new AbortController();
        const startMs = clock.monotonicMs();
        let late = 0;
        let tries = 0;
        let settled = false;
        const call = caught(
          dependency.execute(
            async ({ signal }) => {
              if (clock.monotonicMs() - startMs >= deadlineMs || controller.signal.aborted) late++;
              const waitMs = tookMs[tries++ % tookMs.length] ?? 0;
              await new Promise<void>((resolve, reject) => {
                clock.setTimer(resolve, waitMs);
                signal.addEventListener('abort', () => reject(signal.reason as Error));
              });
              throw busy;
            },
            { signal: controller.signal },
          ),
        ).then(() => (settled = true));
        if (abortMs !== undefined) {
          await clock.advanceAsync(abortMs);
          controller.abort();
          await clock.advanceAsync(0);
          expect(settled).toBe(true);
        }
        await clock.advanceAsync(deadlineMs + 20);
        expect([settled, late]).toEqual([true, 0]);
        await clock.advanceAsync(4_000);
        await Promise.all([call, held]);
        expect([late, dependency.bulkhead?.snapshot().active]).toEqual([0, 0]);
      }),
      { numRuns: fuzzedRuns },
    );
  }, 600_000);

  test('shares a breaker and a bulkhead that it was given', async () => {
    const breakers = createCircuitBreakers();
    const bulkhead = createBulkhead('openai', { maxConcurrent: 1 });
    const { dependency } = make({ breaker: breakers.of('openai'), bulkhead, retry: false });
    expect(dependency.breaker).toBe(breakers.of('openai'));
    const first = dependency.execute(() => new Promise<number>((resolve) => setImmediate(() => resolve(1))));
    expect(await caught(dependency.execute(() => 2))).toMatchObject({ code: 'SAGE_RECOVERY_BULKHEAD_FULL' });
    expect(await first).toBe(1);
    await dependency[Symbol.asyncDispose]();
    breakers.close();
  });

  test.each([
    [{ timeoutMs: -1 }, 'timeoutMs'],
    [{ timeoutMode: 'Strict' as never }, 'timeoutMode'],
    [{ permitWaitMs: -1 }, 'permitWaitMs'],
    [{ bulkhead: { maxConcurrent: 0 } }, 'maxConcurrent'],
  ])('a bad option is named: %j', (bad, name) => {
    expect(() => createDependency('a', bad)).toThrow(name);
  });
});

describe('a stream of a dependency', () => {
  async function* chunks(items: readonly unknown[]): AsyncGenerator {
    for (const item of items) {
      if (item instanceof Error) throw item;
      yield item;
    }
  }
  test('is tried again until its first chunk, and never after it', async () => {
    const { clock, dependency } = make({ breaker: { minCalls: 10 } });
    const early = read(dependency.stream(({ attempt }) => chunks(attempt === 1 ? [busy] : ['a', 'b'])));
    await clock.advanceAsync(1_000);
    expect(await early).toEqual(['a', 'b']);
    let opened = 0;
    const late = dependency.stream(() => (opened++, chunks(['a', busy])));
    expect(await read(late)).toEqual(['a', busy]);
    expect(opened).toBe(1);
    expect(dependency.breaker?.snapshot()).toMatchObject({ successes: 2, failures: 2 });
  });

  test('the timeout of a try is for its first chunk', async () => {
    const { clock, dependency } = make({ timeoutMs: 100, retry: false });
    let aborted: unknown;
    const silent = read(
      dependency.stream(({ signal }) => {
        signal.addEventListener('abort', () => (aborted = signal.reason));
        return { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
      }),
    );
    await clock.advanceAsync(120);
    expect(await silent).toMatchObject([{ code: 'SAGE_DEADLINE_EXCEEDED' }]);
    expect(aborted).toMatchObject({ code: 'SAGE_DEADLINE_EXCEEDED' });
    const slow = read(
      dependency.stream(async function* ({ signal }) {
        yield 1;
        await new Promise<void>((resolve) => clock.setTimer(resolve, 500));
        signal.throwIfAborted();
        yield 2;
      }),
    );
    await clock.advanceAsync(1_000);
    expect(await slow).toEqual([1, 2]);
  });

  test('a reader that leaves closes the source', async () => {
    const { dependency } = make();
    let closed = false;
    const endless = dependency.stream(async function* () {
      try {
        for (let item = 0; ; item++) yield item;
      } finally {
        closed = true;
      }
    });
    for await (const item of endless) if (item === 3) break;
    expect(closed).toBe(true);
    expect(dependency.breaker?.snapshot()).toMatchObject({ successes: 1, failures: 0 });
  });
});

describe('a bulkhead', () => {
  test("SH3: by default cockatiel's bulkhead holds each try, and cockatiel's backoff spaces them", async () => {
    const held = jest.spyOn(BulkheadPolicy.prototype, 'execute');
    const spaced = jest.spyOn(ExponentialBackoff.prototype, 'next');
    try {
      const clock = createFakeClock();
      await using dependency = createDependency('search', { clock });
      const answer = dependency.execute(({ attempt }) => (attempt < 3 ? Promise.reject(busy) : attempt));
      await clock.advanceAsync(1_000);
      expect(await answer).toBe(3);
      expect([held.mock.calls.length, spaced.mock.calls.length]).toEqual([3, 1]);
      expect(dependency.bulkhead?.snapshot()).toEqual({ active: 0, waiting: 0, rejected: 0 });
      await using free = createDependency('search', { clock, bulkhead: false });
      await free.execute(() => 1);
      expect([held.mock.calls.length, free.bulkhead]).toEqual([3, undefined]);
    } finally {
      held.mockRestore();
      spaced.mockRestore();
    }
  });

  test('SH3: by default 1,024 tries run at once, as many wait, and one more is refused', async () => {
    await using dependency = createDependency('search', { retry: false, breaker: false });
    const { promise, resolve } = Promise.withResolvers<void>();
    const calls = Array.from({ length: 2_048 }, () => dependency.execute(() => promise));
    expect(dependency.bulkhead?.snapshot()).toMatchObject({ active: 1_024, waiting: 1_024 });
    expect(await caught(dependency.execute(() => promise))).toMatchObject({ code: 'SAGE_RECOVERY_BULKHEAD_FULL' });
    resolve();
    await Promise.all(calls);
  });

  test('OM24: offers how many calls run, wait and were refused, until it is closed', async () => {
    const dependency = createDependency('search', { bulkhead: { maxConcurrent: 1, maxQueue: 1 }, retry: false });
    const numbers = () => {
      const bulkheads = sources().filter(({ name }) => name === 'recovery.bulkhead');
      return bulkheads.map((source) => source.read()).find((counters) => 'search.active' in counters);
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    const running = [dependency.execute(() => promise), dependency.execute(() => promise)];
    await caught(dependency.execute(() => promise));
    expect(numbers()).toEqual({ 'search.active': 1, 'search.waiting': 1, 'search.rejected': 1 });
    resolve();
    await Promise.all(running);
    expect(numbers()).toEqual({ 'search.active': 0, 'search.waiting': 0, 'search.rejected': 1 });
    dependency.close();
    expect(numbers()).toBeUndefined();
  });

  test('SH3: runs so many, lets so many wait, refuses the rest, and counts', async () => {
    using recorded = recordOperations();
    const bulkhead = createBulkhead('db', { maxConcurrent: 1, maxQueue: 1 });
    let release = (): void => {};
    const first = bulkhead.execute(() => new Promise<void>((resolve) => (release = resolve)));
    const second = bulkhead.execute(() => 2);
    expect(await caught(bulkhead.execute(() => 3))).toMatchObject({
      code: 'SAGE_RECOVERY_BULKHEAD_FULL',
      details: { active: 1, waiting: 1 },
    });
    expect(bulkhead.snapshot()).toEqual({ active: 1, waiting: 1, rejected: 1 });
    release();
    await first;
    expect(await second).toBe(2);
    expect(recorded.named('queue.wait').map(({ start, outcome }) => [start.queue, outcome])).toEqual([['db', 'ok']]);
  });

  test('an abort while waiting is heard at once, and its call is not made', async () => {
    const bulkhead = createBulkhead('db', { maxConcurrent: 1, maxQueue: 1 });
    let release = (): void => {};
    const first = bulkhead.execute(() => new Promise<void>((resolve) => (release = resolve)));
    const controller = new AbortController();
    let made = false;
    const second = caught(bulkhead.execute(() => (made = true), controller.signal));
    controller.abort();
    expect(await second).toMatchObject({ name: 'AbortError' });
    release();
    await first;
    await new Promise(setImmediate);
    expect([made, bulkhead.snapshot().waiting]).toEqual([false, 0]);
    expect(await caught(bulkhead.execute(() => 1, AbortSignal.abort('left')))).toBe('left');
  });
});
