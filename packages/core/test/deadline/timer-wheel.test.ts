import { afterEach, describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type Clock, current, run, systemClock, type Timer } from '../../src/index.ts';
import { createTimerWheel, wheelOf } from '../../src/deadline/index.ts';
import { createFakeClock, createSeededRandom } from '../../src/testing/index.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

function setUp(tickMs?: number) {
  const clock = createFakeClock();
  const wheel = createTimerWheel({ clock, ...(tickMs !== undefined && { tickMs }) });
  const fired: (readonly [name: string, afterMs: number])[] = [];
  const startMs = clock.monotonicMs();
  const set = (name: string, delayMs: number): Timer =>
    wheel.schedule(() => fired.push([name, clock.monotonicMs() - startMs]), clock.monotonicMs() + delayMs);
  return { clock, wheel, fired, set };
}

describe('timer wheel', () => {
  test('a callback runs once, at its time or up to a tick later', () => {
    const { clock, fired, set } = setUp();
    set('on a tick', 20);
    set('between ticks', 21);
    clock.advance(1_000);
    expect(fired).toEqual([
      ['on a tick', 20],
      ['between ticks', 30],
    ]);
  });

  test('the length of the tick is an option', () => {
    const { clock, fired, set } = setUp(50);
    set('a', 1);
    clock.advance(1_000);
    expect(fired).toEqual([['a', 50]]);
  });

  test('a time that has passed is due at the next tick, never within the call', () => {
    const { clock, fired, set } = setUp();
    set('past', -500);
    set('now', 0);
    expect(fired).toEqual([]);
    clock.advance(10);
    expect(fired.map(([name]) => name)).toEqual(['past', 'now']);
  });

  test('a cancelled callback never runs, and cancelling again does nothing', () => {
    const { clock, wheel, fired, set } = setUp();
    const timer = set('a', 20);
    set('b', 20);
    timer.cancel();
    timer.cancel();
    expect(wheel.size).toBe(1);
    clock.advance(1_000);
    timer.cancel();
    expect([fired.map(([name]) => name), wheel.size]).toEqual([['b'], 0]);
  });

  test('a callback may cancel one of the same round', () => {
    const { clock, wheel, fired, set } = setUp();
    const timers: Timer[] = [];
    wheel.schedule(() => timers[0]?.cancel(), clock.monotonicMs() + 15);
    timers.push(set('a', 16));
    clock.advance(1_000);
    expect([fired, wheel.size]).toEqual([[], 0]);
  });

  test('a callback may set another, for the next tick or much later', () => {
    const { clock, wheel, fired, set } = setUp();
    wheel.schedule(() => {
      set('soon', 0);
      set('late', 60_000);
    }, clock.monotonicMs() + 10);
    clock.advance(20);
    expect(fired).toEqual([['soon', 20]]);
    clock.advance(60_000);
    expect(fired.at(-1)).toEqual(['late', 60_010]);
  });

  test('a time beyond one revolution is kept for its own', () => {
    const { clock, fired, set } = setUp();
    set('far', 5_120 * 3 + 30);
    set('near', 30);
    clock.advance(5_120 * 3 + 29);
    expect(fired).toEqual([['near', 30]]);
    clock.advance(1);
    expect(fired.at(-1)).toEqual(['far', 15_390]);
  });

  test('one timer of the clock serves all, and there is none while the wheel is empty', () => {
    const { clock, wheel, set } = setUp();
    expect(clock.pending).toBe(0);
    const timers = Array.from({ length: 1_000 }, (_, index) => set(`t${index}`, 10_000 - index * 7));
    expect([clock.pending, wheel.size]).toEqual([1, 1_000]);
    clock.advance(5_000);
    expect(clock.pending).toBe(1);
    for (const timer of timers) timer.cancel();
    expect([clock.pending, wheel.size]).toEqual([0, 0]);
    set('last', 10);
    clock.advance(10);
    expect(clock.pending).toBe(0);
  });

  test('setting and cancelling while another waits touches no timer of the clock', () => {
    const clock = createFakeClock();
    let set = 0;
    const counting: Clock = {
      ...delegating(clock),
      setTimer: (callback, delayMs) => (set++, clock.setTimer(callback, delayMs)),
    };
    const wheel = createTimerWheel({ clock: counting });
    wheel.schedule(() => {}, clock.monotonicMs() + 20);
    for (let n = 0; n < 1_000; n++) wheel.schedule(() => {}, clock.monotonicMs() + 1_000).cancel();
    expect(set).toBe(1);
  });

  test('Infinity is never, and waits for nothing', () => {
    const { clock, wheel } = setUp();
    wheel.schedule(() => {}, Number.POSITIVE_INFINITY).cancel();
    expect([clock.pending, wheel.size]).toEqual([0, 0]);
  });

  test('what a callback throws is thrown on its own, and the others run', () => {
    const { clock, wheel, fired, set } = setUp();
    const thrown: (() => void)[] = [];
    jest.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => void thrown.push(callback));
    wheel.schedule(() => {
      throw new Error('broken');
    }, clock.monotonicMs() + 5);
    set('other', 6);
    set('later', 20);
    clock.advance(1_000);
    expect(fired.map(([name]) => name)).toEqual(['other', 'later']);
    expect(thrown.length).toBe(1);
    expect(thrown[0]).toThrow('broken');
  });

  test('each callback runs in the context in which it was set', () => {
    const { clock, wheel } = setUp();
    const seen: unknown[] = [];
    for (const requestId of ['first', 'second']) {
      run({ requestId }, () => wheel.schedule(() => seen.push(current()?.requestId), clock.monotonicMs() + 10));
    }
    wheel.schedule(() => seen.push(current()), clock.monotonicMs() + 10);
    clock.advance(10);
    expect(seen).toEqual(['first', 'second', undefined]);
  });

  test("the clock's timer is set outside of any request's context, or it would keep that alive", () => {
    const { clock } = setUp();
    const seen: unknown[] = [];
    const watching: Clock = {
      ...delegating(clock),
      setTimer: (callback, delayMs) => (seen.push(current()), clock.setTimer(callback, delayMs)),
    };
    const wheel = createTimerWheel({ clock: watching });
    run({ requestId: 'first' }, () => wheel.schedule(() => {}, clock.monotonicMs() + 10));
    clock.advance(5);
    run({ requestId: 'second' }, () => wheel.schedule(() => {}, clock.monotonicMs() + 500));
    clock.advance(1_000);
    expect(seen).toEqual([undefined, undefined]);
  });

  test('a timer that comes early fires nothing early', () => {
    let nowMs = 1_000;
    let alarm: (() => void) | undefined;
    let delays: number[] = [];
    const clock: Clock = {
      now: () => nowMs,
      monotonicMs: () => nowMs,
      setTimer(callback, delayMs) {
        alarm = callback;
        delays = [...delays, delayMs];
        return { cancel: () => (alarm = undefined) };
      },
    };
    const wheel = createTimerWheel({ clock });
    const fired: number[] = [];
    wheel.schedule(() => fired.push(nowMs), 1_020);
    nowMs = 1_019.4;
    alarm?.();
    expect(fired).toEqual([]);
    nowMs = 1_020;
    alarm?.();
    expect(fired).toEqual([1_020]);
    expect(delays.map((delay) => Math.round(delay * 10) / 10)).toEqual([20, 0.6]);
  });

  test('after the event loop stood still, what is due runs in the order of its times', () => {
    const { clock, wheel, fired, set } = setUp();
    set('c', 9_000);
    set('a', 30);
    set('d', 9_001);
    set('b', 5_000);
    // The clock's timer comes once, long after: as when the loop was blocked.
    let nowMs = 0;
    const blocked: Clock = { ...delegating(clock), monotonicMs: () => clock.monotonicMs() + nowMs };
    const late = createTimerWheel({ clock: blocked });
    const order: string[] = [];
    for (const [name, delayMs] of [
      ['c', 9_000],
      ['a', 30],
      ['d', 9_001],
      ['b', 5_000],
      ['e', 30_000],
    ] as const) {
      late.schedule(() => order.push(name), clock.monotonicMs() + delayMs);
    }
    nowMs = 20_000;
    clock.advance(30);
    expect(order).toEqual(['a', 'b', 'c', 'd']);
    expect([late.size, fired.length, wheel.size]).toEqual([1, 1, 3]);
  });

  test('closing cancels everything, and nothing can be set any more', async () => {
    const { clock, wheel, fired, set } = setUp();
    set('a', 10);
    set('b', 20_000);
    wheel.close();
    expect([wheel.size, clock.pending]).toEqual([0, 0]);
    clock.advance(30_000);
    expect(fired).toEqual([]);
    expect(() => set('c', 10)).toThrow('The timer wheel is closed');
    await wheel[Symbol.asyncDispose]();
  });

  test("on the machine's own clock it is not early either", async () => {
    const wheel = createTimerWheel({ tickMs: 1 });
    const waits = [0.3, 2.5, 7, 11.9].map((delayMs) => {
      const atMs = performance.now() + delayMs;
      return new Promise<number>((resolve) => wheel.schedule(() => resolve(performance.now() - atMs), atMs));
    });
    for (const lateMs of await Promise.all(waits)) expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(wheel.size).toBe(0);
  });

  test("on the machine's own clock one timer serves callbacks that come alone, one after the other", () => {
    const set = jest.spyOn(systemClock, 'setTimer');
    const wheel = createTimerWheel();
    for (let n = 0; n < 100; n++) wheel.schedule(() => {}, performance.now() + 30_000).cancel();
    expect([set.mock.calls.length, wheel.size]).toEqual([1, 0]);
    wheel.schedule(() => {}, performance.now() + 1_000).cancel();
    expect(set).toHaveBeenCalledTimes(2);
    wheel.close();
  });

  test('a timer that is left by the last callback rings into nothing, and the next one is served', async () => {
    const wheel = createTimerWheel({ tickMs: 1 });
    const later = (delayMs: number, done: () => void): Timer => wheel.schedule(done, performance.now() + delayMs);
    const cancelled = jest.fn();
    later(2, cancelled).cancel();
    await new Promise<void>((resolve) => void later(8, resolve));
    await new Promise<void>((resolve) => void later(2, resolve));
    expect([cancelled.mock.calls.length, wheel.size]).toEqual([0, 0]);
  });

  test('a timer that is left from before timers were faked hinders no faked one, and none of those is left', () => {
    const wheel = createTimerWheel();
    wheel.schedule(() => {}, performance.now() + 10).cancel();
    jest.useFakeTimers();
    try {
      const fired = jest.fn();
      wheel.schedule(fired, systemClock.monotonicMs() + 1_000);
      jest.advanceTimersByTime(1_010);
      wheel.schedule(() => {}, systemClock.monotonicMs() + 1_000).cancel();
      expect([fired.mock.calls.length, jest.getTimerCount()]).toEqual([1, 0]);
    } finally {
      jest.useRealTimers();
    }
  });

  test('an invalid tick or time is refused by name', () => {
    expect(() => createTimerWheel({ tickMs: 0 })).toThrow('The option tickMs is 0');
    expect(() => createTimerWheel().schedule(() => {}, Number.NaN)).toThrow('The option atMs is NaN');
  });

  test('deadlines on one clock share a wheel', () => {
    const clock = createFakeClock();
    expect(wheelOf(clock)).toBe(wheelOf(clock));
    expect(wheelOf(clock)).not.toBe(wheelOf(createFakeClock()));
  });
});

describe('properties of the wheel', () => {
  const delay = fc.double({ min: 0, max: 40_000, noNaN: true });

  test('never early, at most one tick late, and a cancelled one never', () => {
    const entry = fc.record({
      afterMs: fc.double({ min: 0, max: 3_000, noNaN: true }),
      delay,
      cancelAfterMs: fc.option(delay),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), fc.integer({ min: 1, max: 100 }), (entries, tickMs) => {
        const clock = createFakeClock();
        const wheel = createTimerWheel({ clock, tickMs });
        const wrong: unknown[] = [];
        let expected = 0;
        let fired = 0;
        for (const { afterMs, delay: delayMs, cancelAfterMs } of entries) {
          clock.advance(afterMs);
          const atMs = clock.monotonicMs() + delayMs;
          let cancelled = false;
          const timer = wheel.schedule(() => {
            fired++;
            const nowMs = clock.monotonicMs();
            if (cancelled || nowMs < atMs || nowMs > atMs + tickMs + 1e-6) wrong.push({ atMs, nowMs, cancelled });
          }, atMs);
          if (cancelAfterMs === null) expected++;
          else if (cancelAfterMs < delayMs) clock.setTimer(() => ((cancelled = true), timer.cancel()), cancelAfterMs);
          else expected++;
        }
        clock.advance(200_000);
        return wrong.length === 0 && fired === expected && wheel.size === 0 && clock.pending === 0;
      }),
    );
  });

  test('ten thousand random deadlines fire in their order', () => {
    // By seed: arrays of that length take minutes to shrink.
    fc.assert(
      fc.property(fc.integer({ min: 0 }), fc.integer({ min: 1, max: 20_000 }), (seed, stepMs) => {
        const clock = createFakeClock();
        const wheel = createTimerWheel({ clock });
        const random = createSeededRandom(seed);
        const times = Array.from({ length: 10_000 }, () => clock.monotonicMs() + random() * 40_000);
        const fired: number[] = [];
        for (const atMs of times) wheel.schedule(() => fired.push(atMs), atMs);
        while (wheel.size > 0) clock.advance(stepMs);
        times.sort((a, b) => a - b);
        return fired.length === times.length && fired.every((atMs, index) => atMs === times[index]);
      }),
      { numRuns: 10 },
    );
  });
});

function delegating(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs),
  };
}
