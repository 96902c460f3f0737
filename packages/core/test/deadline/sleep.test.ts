import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { type Clock, run } from '../../src/index.ts';
import { sleep } from '../../src/deadline/index.ts';
import { createFakeClock } from '../../src/testing/index.ts';

describe('sleep', () => {
  test('resolves after its time, not before', async () => {
    const clock = createFakeClock();
    let awake = false;
    void sleep(100, { clock }).then(() => (awake = true));
    await clock.advanceAsync(99);
    expect(awake).toBe(false);
    await clock.advanceAsync(1);
    expect([awake, clock.pending]).toEqual([true, 0]);
  });

  test.each([0, -5])('%d ms is the next turn', async (delayMs) => {
    const clock = createFakeClock();
    const sleeping = sleep(delayMs, { clock });
    expect(clock.pending).toBe(1);
    await clock.advanceAsync(0);
    await sleeping;
  });

  test('an abort rejects it at once with the reason, and no timer and no listener is left', async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const sleeping = sleep(100, { clock, signal: controller.signal });
    controller.abort('gave up');
    expect(clock.pending).toBe(0);
    await expect(sleeping).rejects.toBe('gave up');
    expect(getEventListeners(controller.signal, 'abort').length).toBe(0);
  });

  test('an aborted signal rejects it before it starts', async () => {
    const clock = createFakeClock();
    await expect(sleep(100, { clock, signal: AbortSignal.abort('gave up') })).rejects.toBe('gave up');
    expect(clock.pending).toBe(0);
  });

  test('waking leaves no listener', async () => {
    const clock = createFakeClock();
    const { signal } = new AbortController();
    const sleeping = sleep(100, { clock, signal });
    clock.advance(100);
    await sleeping;
    expect(getEventListeners(signal, 'abort').length).toBe(0);
  });

  test('the signal of the context ends it', async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const sleeping = run({ signal: controller.signal }, () => sleep(100, { clock }));
    controller.abort('gave up');
    await expect(sleeping).rejects.toBe('gave up');
  });

  test('it sleeps on when the timer came early', async () => {
    const real = createFakeClock();
    const hasty: Clock = {
      now: () => real.now(),
      monotonicMs: () => real.monotonicMs(),
      setTimer: (callback, delayMs) => real.setTimer(callback, delayMs > 1 ? delayMs - 0.5 : delayMs),
    };
    let awakeMs: number | undefined;
    const startMs = real.monotonicMs();
    void sleep(100, { clock: hasty }).then(() => (awakeMs = real.monotonicMs() - startMs));
    await real.advanceAsync(99.5);
    expect(awakeMs).toBe(undefined);
    await real.advanceAsync(10);
    expect(awakeMs).toBe(100);
    expect(real.pending).toBe(0);
  });

  test('it can sleep for longer than a timer can, and be ended meanwhile', async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const monthMs = 30 * 86_400_000;
    let awake = false;
    void sleep(monthMs, { clock }).then(() => (awake = true));
    const forever = sleep(Number.POSITIVE_INFINITY, { clock, signal: controller.signal });
    await clock.advanceAsync(monthMs - 1);
    expect(awake).toBe(false);
    await clock.advanceAsync(1);
    expect(awake).toBe(true);
    controller.abort('gave up');
    await expect(forever).rejects.toBe('gave up');
    expect(clock.pending).toBe(0);
  });

  test('no number rejects by name', async () => {
    await expect(sleep(Number.NaN)).rejects.toThrow('The option delayMs is NaN');
  });
});
