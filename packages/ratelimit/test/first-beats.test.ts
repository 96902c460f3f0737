import { expect, test } from '@jest/globals';
import { createTimerWheel } from '@sage-adk/core/deadline';
import { createFakeClock } from '@sage-adk/core/testing';
import * as fc from 'fast-check';
import { type Beating, FirstBeats, withdraw } from '../src/first-beats.ts';

const tickMs = 10;
const step = fc.oneof(
  fc.record({ afterMs: fc.constantFrom(5, 40, 100, 1_000) }),
  fc.record({ withdraws: fc.nat(50) }),
  fc.record({ advanceMs: fc.constantFrom(1, 7, 10, 50, 400) }),
);

test('whoever is not withdrawn beats once, at its time or up to a tick later, and in the end no timer is left', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.boolean(), (steps, leavesAlarms) => {
      const clock = createFakeClock();
      const wheel = createTimerWheel({ clock, tickMs });
      const beats = new FirstBeats(clock, wheel, leavesAlarms);
      const waiting: Beating[] = [];
      for (const { afterMs, withdraws, advanceMs } of steps as Partial<Record<string, number>>[]) {
        if (afterMs !== undefined) {
          const beating = beatingOf(
            clock.monotonicMs(),
            (ageMs) => {
              const lateMs = ageMs - afterMs;
              expect([waiting.includes(beating), lateMs >= 0, lateMs <= tickMs]).toEqual([true, true, true]);
              waiting.splice(waiting.indexOf(beating), 1);
            },
            clock,
          );
          waiting.push(beating);
          beats.add(beating, afterMs);
        }
        if (withdraws !== undefined) for (const each of waiting.splice(withdraws, 1)) withdraw(each);
        if (advanceMs !== undefined) clock.advance(advanceMs);
      }
      clock.advance(1_000 + tickMs);
      expect(waiting).toEqual([]);
      if (leavesAlarms) clock.advance(1_000 + tickMs);
      expect([wheel.size, clock.pending]).toEqual([0, 0]);
    }),
  );
});

function beatingOf(sinceMs: number, beat: (ageMs: number) => void, clock: { monotonicMs(): number }): Beating {
  return {
    sinceMs,
    line: undefined,
    previous: undefined,
    next: undefined,
    beat: () => beat(clock.monotonicMs() - sinceMs),
  };
}
