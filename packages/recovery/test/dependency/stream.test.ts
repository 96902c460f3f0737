import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { run } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { createDependency, type DependencyOptions } from '../../src/dependency/index.ts';
import { read } from '../support/read.ts';

const busy = Object.assign(new Error('busy'), { status: 503 });
const tick = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function make(options: DependencyOptions = {}) {
  const clock = createFakeClock();
  const dependency = createDependency('openai', { retry: false, clock, ...options });
  return { clock, dependency };
}

/** Gives its chunks and then hears nothing any more; says whether it was closed. */
function deaf(chunks: readonly unknown[]) {
  const told = { closed: 0 };
  const left = [...chunks];
  const source = (): AsyncIterable<unknown> => ({
    [Symbol.asyncIterator]: () => ({
      next: () =>
        left.length > 0 ? Promise.resolve({ value: left.shift(), done: false }) : new Promise<never>(() => {}),
      return: () => {
        told.closed++;
        return new Promise<never>(() => {});
      },
    }),
  });
  return { told, source };
}

describe('a source that ignores its signal', () => {
  test('is left at the deadline, whatever came before, and closed', async () => {
    const { clock, dependency } = make({ deadlineMs: 100 });
    const { told, source } = deaf(['a', 'b']);
    const reading = read(dependency.stream(source));
    await clock.advanceAsync(110);
    expect(await reading).toMatchObject(['a', 'b', { name: 'TimeoutError' }]);
    expect([told.closed, dependency.bulkhead?.snapshot().active, clock.pending]).toEqual([1, 0, 0]);
  });

  test('is left at an abort, at once, and says nothing of the dependency', async () => {
    const { dependency } = make({ breaker: { minCalls: 1 } });
    const { told, source } = deaf(['a']);
    const controller = new AbortController();
    const reading = read(dependency.stream(source, { signal: controller.signal }));
    await tick();
    controller.abort('left');
    expect(await reading).toEqual(['a', 'left']);
    expect([told.closed, dependency.bulkhead?.snapshot().active]).toEqual([1, 0]);
    expect(dependency.breaker?.snapshot()).toMatchObject({ successes: 1, failures: 0 });
  });

  test('whose first chunk never comes is closed too', async () => {
    const { clock, dependency } = make({ timeoutMs: 30 });
    const { told, source } = deaf([]);
    const silent = read(dependency.stream(source));
    await clock.advanceAsync(40);
    expect(await silent).toMatchObject([{ code: 'SAGE_DEADLINE_EXCEEDED' }]);
    expect(told.closed).toBe(1);
    let closed = false;
    const slow = read(
      dependency.stream(async function* () {
        try {
          await new Promise<void>((resolve) => void clock.setTimer(resolve, 100));
          yield 'late';
        } finally {
          closed = true;
        }
      }),
    );
    await clock.advanceAsync(200);
    expect(await slow).toMatchObject([{ code: 'SAGE_DEADLINE_EXCEEDED' }]);
    expect(closed).toBe(true);
  });

  test('keeps a reader that leaves no longer than its deadline', async () => {
    const { clock, dependency } = make({ deadlineMs: 100 });
    const { source } = deaf(['a']);
    const reading = dependency.stream(source)[Symbol.asyncIterator]();
    await reading.next();
    const left = reading.return?.();
    await clock.advanceAsync(110);
    expect(await left).toEqual({ done: true, value: undefined });
    expect(dependency.bulkhead?.snapshot().active).toBe(0);
  });

  test('has one listener on the signal, however many chunks it gives, and none when it is closed', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...given: Parameters<typeof add>) => (listeners++, add(...given));
    signal.removeEventListener = (...given: Parameters<typeof remove>) => (listeners--, remove(...given));
    const { dependency } = make();
    const most: number[] = [];
    const stream = dependency.stream(
      async function* () {
        for (let chunk = 0; chunk < 100; chunk++) yield most.push(listeners);
      },
      { signal },
    );
    await read(stream);
    // The first chunk is waited for with the timeout of the try.
    expect(new Set(most.slice(1)).size).toBe(1);
    expect(listeners).toBe(0);
  });
});

describe("a caller's own timeout", () => {
  test.each([
    ['of a stream', true],
    ['of a call', false],
  ])('%s says nothing of the dependency', async (_, streams) => {
    const { dependency } = make({ breaker: { minCalls: 1 } });
    const untilAborted = (signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    for (let call = 0; call < 3; call++) {
      const controller = new AbortController();
      const options = { signal: controller.signal };
      const ended = streams
        ? read(
            dependency.stream(async function* ({ signal }) {
              yield 'a';
              await untilAborted(signal);
            }, options),
          )
        : dependency.execute(({ signal }) => untilAborted(signal), options).catch(() => {});
      await tick();
      controller.abort(new DOMException('late', 'TimeoutError'));
      await ended;
    }
    expect(dependency.breaker?.snapshot()).toMatchObject({ state: { name: 'closed' }, failures: 0 });
  });
});

describe('the place of a stream', () => {
  const one = { bulkhead: { maxConcurrent: 1 } } as const;
  const open = async (dependency: ReturnType<typeof make>['dependency'], signal?: AbortSignal) => {
    const stream = dependency.stream(async function* () {
      yield 1;
      yield 2;
    }, signal && { signal });
    const reading = stream[Symbol.asyncIterator]();
    await reading.next();
    return reading;
  };
  const active = ({ bulkhead }: ReturnType<typeof make>['dependency']) => bulkhead?.snapshot().active;

  test('is held until it ends, breaks off, or its reader leaves', async () => {
    const { dependency } = make(one);
    const whole = await open(dependency);
    expect(active(dependency)).toBe(1);
    expect(await read(dependency.stream(async function* () {}))).toMatchObject([
      { code: 'SAGE_RECOVERY_BULKHEAD_FULL' },
    ]);
    await whole.next();
    await whole.next();
    await tick();
    expect(active(dependency)).toBe(0);
    const left = await open(dependency);
    await left.return?.();
    await tick();
    expect(active(dependency)).toBe(0);
    const broken = dependency.stream(async function* () {
      yield 1;
      throw busy;
    });
    expect(await read(broken)).toEqual([1, busy]);
    await tick();
    expect(active(dependency)).toBe(0);
  });

  test('is given back at an abort, and at the deadline, where nobody reads on', async () => {
    const { clock, dependency } = make({ ...one, deadlineMs: 100 });
    const controller = new AbortController();
    const aborted = await open(dependency, controller.signal);
    controller.abort('left');
    await tick();
    expect(active(dependency)).toBe(0);
    await expect(aborted.next()).rejects.toBe('left');
    const forgotten = await open(dependency);
    await clock.advanceAsync(110);
    expect(active(dependency)).toBe(0);
    await expect(forgotten.next()).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('is given back by the collector where nobody can read on', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { dependency } = make(one);
    await open(dependency).then(() => {});
    for (let round = 0; round < 50 && active(dependency) !== 0; round++) {
      collect();
      await tick();
    }
    expect(active(dependency)).toBe(0);
  });

  test('a stream that cannot be opened has none', async () => {
    const { dependency } = make(one);
    expect(await read(dependency.stream(() => ({}) as never))).toHaveLength(1);
    expect(
      await read(
        dependency.stream(() => {
          throw busy;
        }),
      ),
    ).toEqual([busy]);
    expect(active(dependency)).toBe(0);
  });
});

test('wherever a stream is read, the deadline and the signal are those of where it was made', async () => {
  const { clock, dependency } = make();
  const controller = new AbortController();
  const context = { deadlineMs: clock.monotonicMs() + 50, signal: controller.signal };
  const made = run(context, () =>
    dependency.stream(async function* (call) {
      yield call.remainingMs();
      controller.abort('left');
      yield 'unheard';
    }),
  );
  clock.advance(20);
  expect(await read(made)).toEqual([30, 'left']);
});
