import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextStanding, type Standing, statusOf } from '../../src/checks/standing.ts';
import type { Status } from '../../src/verdict.ts';

const result = fc.constantFrom<Status>('pass', 'warn', 'fail');

test('OH2: a check changes sides exactly after as many results in a row as its thresholds say', () => {
  fc.assert(
    fc.property(
      fc.array(result, { minLength: 1 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      (results, failureThreshold, successThreshold) => {
        let standing: Standing | undefined;
        results.forEach((last, index) => {
          const before = standing;
          standing = nextStanding(before, last, { failureThreshold, successThreshold });
          const fails = last === 'fail';
          const needed = fails ? failureThreshold : successThreshold;
          const row = results.slice(0, index + 1).toReversed();
          const length = row.findIndex((one) => (one === 'fail') !== fails);
          const inRow = length === -1 ? row.length : length;
          if (before === undefined || inRow >= needed) expect(standing.down).toBe(fails);
          else if (before.down !== fails) expect(standing.down).toBe(before.down);
          expect(statusOf(standing) === 'fail').toBe(standing.down);
          if (statusOf(standing) === 'pass') expect(last).toBe('pass');
        });
      },
    ),
  );
});
