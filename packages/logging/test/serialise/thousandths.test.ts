import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { thousandths } from '../../src/serialise/thousandths.ts';

test('a duration is spelt as JSON spells it, rounded to thousandths', () => {
  const value = fc.oneof(
    fc.double({ min: 0, max: 1e9, noNaN: true }),
    fc.nat(5_000),
    fc.double({ min: -5, max: 5, noNaN: true }),
  );
  fc.assert(
    fc.property(value, (ms) => {
      expect(JSON.parse(thousandths(ms))).toBe(Math.round(ms * 1_000) / 1_000 + 0);
      expect(thousandths(ms)).toBe(JSON.stringify(Math.round(ms * 1_000) / 1_000));
    }),
  );
});
