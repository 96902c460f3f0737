import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { timestamp } from '../src/timestamp.ts';

const furthestMs = 8_640_000_000_000_000;

describe('timestamp', () => {
  test('writes what toISOString writes, whichever way the clock steps', () => {
    const start = fc.oneof(
      fc.integer({ min: -furthestMs, max: furthestMs }),
      fc.integer({ min: 0, max: 4_102_444_800_000 }),
      fc.constantFrom(-furthestMs, -62_198_755_200_000, -1, 0, 253_402_300_799_999),
    );
    const step = fc.oneof(fc.integer({ min: -2_000, max: 2_000 }), fc.integer({ min: -200_000, max: 200_000 }));
    fc.assert(
      fc.property(start, fc.array(step, { maxLength: 20 }), (startMs, steps) => {
        let ms = startMs;
        for (const by of [0, ...steps]) {
          ms = Math.max(-furthestMs, Math.min(furthestMs, ms + by));
          expect(timestamp(ms)).toBe(new Date(ms).toISOString());
        }
      }),
    );
  });

  test('no time is refused, and the line after it has its own', () => {
    expect(() => timestamp(Number.NaN)).toThrow(RangeError);
    expect(() => timestamp(furthestMs + 60_000)).toThrow(RangeError);
    expect(timestamp(0)).toBe('1970-01-01T00:00:00.000Z');
  });
});
