import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type CheckReport, readinessVerdict, type Status } from '../src/verdict.ts';

const report: fc.Arbitrary<CheckReport> = fc.record({
  name: fc.string(),
  critical: fc.boolean(),
  status: fc.constantFrom<Status>('pass', 'warn', 'fail'),
  reason: fc.option(fc.string(), { nil: undefined }),
  checkedAtMs: fc.option(fc.nat(), { nil: undefined }),
  detail: fc.option(fc.string(), { nil: undefined }),
});

test('OH2: ready exactly where it has started, does not drain and no critical check fails; a pass means that all is well', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.option(fc.string(), { nil: undefined }),
      fc.array(report),
      (started, draining, checks) => {
        const { status, reason } = readinessVerdict({ started, draining }, checks);
        const isReady =
          started && draining === undefined && !checks.some((one) => one.critical && one.status === 'fail');
        expect(status !== 'fail').toBe(isReady);
        expect(status === 'pass').toBe(isReady && checks.every((one) => one.status === 'pass'));
        expect(reason === undefined).toBe(status === 'pass');
      },
    ),
  );
});
