import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createFakeClock } from '../../src/testing/index.ts';

function setUp() {
  const clock = createFakeClock({ nowMs: 5_000 });
  const startMs = clock.monotonicMs();
  const calls: string[] = [];
  const note = (name: string) => () => void calls.push(`${name}@${clock.monotonicMs() - startMs}`);
  return { clock, startMs, calls, note };
}

describe('fake clock', () => {
  test('stands still until it is told to go on', () => {
    const { clock, startMs } = setUp();
    expect([clock.now(), clock.now()]).toEqual([5_000, 5_000]);
    clock.advance(250);
    expect([clock.now(), clock.monotonicMs() - startMs]).toEqual([5_250, 250]);
  });

  test('calls timers in the order of time, ties in the order of creation, each at its time', () => {
    const { clock, calls, note } = setUp();
    clock.setTimer(note('b'), 20);
    clock.setTimer(note('c'), 20);
    clock.setTimer(note('a'), 10);
    clock.setTimer(note('later'), 31);
    clock.advance(30);
    expect(calls).toEqual(['a@10', 'b@20', 'c@20']);
    expect(clock.pending).toBe(1);
  });

  test('a timer set by a timer runs in the same advance if it becomes due', () => {
    const { clock, calls, note } = setUp();
    clock.setTimer(() => clock.setTimer(note('inner'), 5), 10);
    clock.setTimer(note('outer'), 15);
    clock.advance(15);
    expect(calls).toEqual(['outer@15', 'inner@15']);
  });

  test('a cancelled timer never runs, and cancelling again or after it ran does nothing', () => {
    const { clock, calls, note } = setUp();
    const timer = clock.setTimer(note('a'), 10);
    const ran = clock.setTimer(note('b'), 10);
    timer.cancel();
    timer.cancel();
    clock.advance(10);
    ran.cancel();
    expect([calls, clock.pending]).toEqual([['b@10'], 0]);
  });

  test('a delay of 0 or less runs at the next advance, never within the call', () => {
    const { clock, calls, note } = setUp();
    clock.setTimer(note('zero'), 0);
    clock.setTimer(note('past'), -10);
    expect(calls).toEqual([]);
    clock.advance(0);
    expect(calls).toEqual(['zero@0', 'past@0']);
  });

  test('a delay beyond 2^31-1 ms is cut to that, as the contract says', () => {
    const { clock, calls, note } = setUp();
    clock.setTimer(note('far'), 1e15);
    clock.advance(2 ** 31 - 1);
    expect(calls).toEqual([`far@${2 ** 31 - 1}`]);
  });

  test('what a timer throws comes out, and the rest can go on', () => {
    const { clock, startMs, calls, note } = setUp();
    clock.setTimer(() => {
      throw new Error('broken');
    }, 10);
    clock.setTimer(note('after'), 20);
    expect(() => clock.advance(30)).toThrow('broken');
    expect(clock.monotonicMs() - startMs).toBe(10);
    clock.advance(20);
    expect(calls).toEqual(['after@20']);
  });

  test('advancing within a timer never takes the clock back', () => {
    const { clock, startMs } = setUp();
    clock.setTimer(() => clock.advance(100), 10);
    clock.advance(20);
    expect(clock.monotonicMs() - startMs).toBe(110);
  });

  test('a step of the wall clock moves neither the monotonic time nor the timers', () => {
    const { clock, startMs, calls, note } = setUp();
    clock.setTimer(note('a'), 10);
    clock.stepWall(-3_000);
    expect([clock.now(), clock.monotonicMs() - startMs, calls]).toEqual([2_000, 0, []]);
    clock.advance(10);
    expect([clock.now(), calls]).toEqual([2_010, ['a@10']]);
  });

  test('advanceAsync lets promises run before, between and after the timers', async () => {
    const { clock, calls, note } = setUp();
    const wait = (delayMs: number): Promise<void> => new Promise((resolve) => void clock.setTimer(resolve, delayMs));
    const chain = async (): Promise<void> => {
      await Promise.resolve();
      for (const step of ['a', 'b', 'c']) {
        await wait(10);
        await Promise.resolve().then(() => {});
        note(step)();
      }
    };
    const chained = chain();
    await clock.advanceAsync(25);
    expect(calls).toEqual(['a@10', 'b@20']);
    await clock.advanceAsync(5);
    await chained;
    expect(calls.at(-1)).toBe('c@30');
  });

  test('a timer that sets itself again with no delay is found out', () => {
    const { clock } = setUp();
    const again = (): unknown => clock.setTimer(again, 0);
    again();
    expect(() => clock.advance(1)).toThrow('a timer that sets itself again with no delay never ends');
  });

  test('what is no time is refused by name', () => {
    const { clock } = setUp();
    expect(() => clock.advance(-1)).toThrow('The option ms is -1');
    expect(() => clock.setTimer(() => {}, Number.NaN)).toThrow('The option delayMs is NaN');
    expect(() => createFakeClock({ nowMs: Number.NaN })).toThrow('The option nowMs is NaN');
  });

  test('any timers run once each, sorted by their times', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100)), fc.array(fc.nat(40)), (delays, steps) => {
        const { clock, startMs } = setUp();
        const ran: { delayMs: number; order: number; atMs: number }[] = [];
        delays.forEach((delayMs, order) =>
          clock.setTimer(() => ran.push({ delayMs, order, atMs: clock.monotonicMs() - startMs }), delayMs),
        );
        for (const step of [...steps, 100]) clock.advance(step);
        const expected = delays.map((delayMs, order) => ({ delayMs, order, atMs: delayMs }));
        expected.sort((a, b) => a.delayMs - b.delayMs || a.order - b.order);
        expect(ran).toEqual(expected);
      }),
    );
  });
});
