import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { current, isSageError, observe, remainingMs, run, verdictOf } from '../../src/index.ts';
import { createTimerWheel, type Deadline, sleep, withTimeout } from '../../src/deadline/index.ts';
import { createFakeClock, type OperationRecorder, recordOperations } from '../../src/testing/index.ts';

let recorder: OperationRecorder;

beforeEach(() => {
  recorder = recordOperations();
});

afterEach(() => {
  recorder[Symbol.dispose]();
});

function setUp() {
  const clock = createFakeClock();
  const wheel = createTimerWheel({ clock });
  const parent = new AbortController();
  const listeners = (): number => getEventListeners(parent.signal, 'abort').length;
  return { clock, wheel, parent, listeners, options: { clock, wheel, operation: 'did.resolve' } };
}

const forever = (): Promise<never> => new Promise(() => {});

describe('withTimeout', () => {
  test('gives what the call gives, and leaves nothing behind', async () => {
    const { clock, wheel, parent, listeners, options } = setUp();
    const answer = withTimeout(100, async ({ signal }) => (await sleep(50, { clock, signal }), 'answer'), {
      ...options,
      parent: parent.signal,
    });
    await clock.advanceAsync(50);
    expect(await answer).toBe('answer');
    expect([wheel.size, clock.pending, listeners(), recorder.events]).toEqual([0, 0, 0, []]);
  });

  test('gives what a call returns or throws without waiting', async () => {
    const { wheel, options } = setUp();
    expect(await withTimeout(100, () => 'answer', options)).toBe('answer');
    const broken = new Error('broken');
    await expect(withTimeout(100, () => Promise.reject(broken), options)).rejects.toBe(broken);
    await expect(
      withTimeout(
        100,
        () => {
          throw broken;
        },
        options,
      ),
    ).rejects.toBe(broken);
    expect(wheel.size).toBe(0);
  });

  test('rejects at the deadline with a transient error of the outcome timeout, and emits it', async () => {
    const { clock, wheel, parent, listeners, options } = setUp();
    let settledMs: number | undefined;
    const startMs = clock.monotonicMs();
    const waiting = withTimeout(100, forever, { ...options, parent: parent.signal }).finally(
      () => (settledMs = clock.monotonicMs() - startMs),
    );
    waiting.catch(() => {});
    await clock.advanceAsync(99);
    expect(settledMs).toBe(undefined);
    await clock.advanceAsync(11);
    expect(settledMs).toBe(100);
    const error = await waiting.catch((thrown: unknown) => thrown);
    expect(isSageError(error, 'SAGE_DEADLINE_EXCEEDED')).toBe(true);
    expect(error).toMatchObject({ message: 'The operation did.resolve did not finish within 100 ms.', status: 504 });
    expect(verdictOf(error)).toEqual({ outcome: 'timeout', category: 'transient', code: 'SAGE_DEADLINE_EXCEEDED' });
    expect(recorder.emitted('timeout.fired')).toEqual([{ operation: 'did.resolve', timeoutMs: 100 }]);
    expect([wheel.size, clock.pending, listeners()]).toEqual([0, 0, 0]);
  });

  test('aborts the signal of the call at the deadline; its own error comes first', async () => {
    const { clock, options } = setUp();
    let seen: unknown;
    const waiting = withTimeout(
      100,
      ({ signal }) =>
        sleep(1_000, { clock, signal }).catch((reason: unknown) => {
          seen = reason;
          throw reason;
        }),
      options,
    );
    waiting.catch(() => {});
    await clock.advanceAsync(110);
    await expect(waiting).rejects.toMatchObject({ code: 'SAGE_DEADLINE_EXCEEDED' });
    expect(seen).toMatchObject({ name: 'TimeoutError' });
  });

  test('what the call does after its time is ignored, its error too', async () => {
    const { clock, options } = setUp();
    let deadline: Deadline | undefined;
    const waiting = withTimeout(
      100,
      async (given) => {
        deadline = given;
        await sleep(500, { clock });
        throw new Error('too late');
      },
      options,
    );
    waiting.catch(() => {});
    await clock.advanceAsync(1_000);
    await expect(waiting).rejects.toMatchObject({ code: 'SAGE_DEADLINE_EXCEEDED' });
    expect(deadline?.signal.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('an earlier deadline of the context counts, and the error says how long it was', async () => {
    const { clock, options } = setUp();
    const waiting = run({ deadlineMs: clock.monotonicMs() + 40 }, () => withTimeout(100, forever, options));
    waiting.catch(() => {});
    await clock.advanceAsync(50);
    await expect(waiting).rejects.toThrow('did not finish within 40 ms');
  });

  test('the call sees the deadline in its context, nested calls keep to it', async () => {
    const { clock, options } = setUp();
    const left = await run({ requestId: 'r1' }, () =>
      withTimeout(100, () => withTimeout(500, () => [current()?.requestId, remainingMs(clock)], options), options),
    );
    expect(left).toEqual(['r1', 100]);
    expect(current()).toBe(undefined);
  });

  test('a call whose time is over is not made', async () => {
    const { clock, wheel, options } = setUp();
    let made = 0;
    const call = (): Promise<void> => Promise.resolve(void made++);
    await expect(withTimeout(0, call, options)).rejects.toMatchObject({ code: 'SAGE_DEADLINE_EXCEEDED' });
    await expect(
      run({ deadlineMs: clock.monotonicMs() - 5 }, () => withTimeout(100, call, options)),
    ).rejects.toMatchObject({
      code: 'SAGE_DEADLINE_EXCEEDED',
    });
    expect([made, wheel.size, recorder.emitted('timeout.fired').length]).toEqual([0, 0, 2]);
  });

  test('when the parent aborts it rejects at once with the reason, and nothing is emitted', async () => {
    const { clock, wheel, parent, listeners, options } = setUp();
    let signal: AbortSignal | undefined;
    const waiting = withTimeout(100, (deadline) => ((signal = deadline.signal), forever()), {
      ...options,
      parent: parent.signal,
    });
    parent.abort('gave up');
    await expect(waiting).rejects.toBe('gave up');
    expect([signal?.reason, wheel.size, clock.pending, listeners(), recorder.events]).toEqual(['gave up', 0, 0, 0, []]);
    let made = false;
    await expect(withTimeout(100, () => (made = true), { ...options, parent: parent.signal })).rejects.toBe('gave up');
    expect(made).toBe(false);
  });

  test('the signal of the context is the parent unless another is given', async () => {
    const { parent, options } = setUp();
    const waiting = run({ signal: parent.signal }, () => withTimeout(100, forever, options));
    parent.abort('gave up');
    await expect(waiting).rejects.toBe('gave up');
  });

  test('the event is emitted in the context of the call that timed out', async () => {
    const { clock, options } = setUp();
    const seen: unknown[] = [];
    const watching = observe({
      name: 'watcher',
      events: { 'timeout.fired': () => void seen.push(current()?.requestId) },
    });
    const waiting = ['first', 'second'].map((requestId) =>
      run({ requestId }, () => withTimeout(100, forever, options)),
    );
    const settled = Promise.allSettled(waiting);
    await clock.advanceAsync(110);
    await settled;
    watching[Symbol.dispose]();
    expect(seen).toEqual(['first', 'second']);
  });

  test('an invalid timeout rejects by name', async () => {
    await expect(withTimeout(-1, forever)).rejects.toThrow('The option timeoutMs is -1');
  });
});
