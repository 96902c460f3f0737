import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  commit,
  decide,
  fullAfterUs,
  pacedBucket,
  remainingUnits,
  strictBucket,
  type TokenBucket,
} from '../../src/strategies/token-bucket.ts';
import { type Admitted, type Call, mostWithin, traffic } from '../support/traffic.ts';

const limits = fc.record({
  limit: fc.integer({ min: 1, max: 60 }),
  periodUs: fc.constantFrom(1_000_000, 60_000_000, 86_400_000_000, 999_983),
});
const pacedCases = limits.chain(({ limit, periodUs }) =>
  fc.integer({ min: 1, max: 2 * limit }).chain((burst) =>
    fc.record({
      limit: fc.constant(limit),
      periodUs: fc.constant(periodUs),
      burst: fc.constant(burst),
      calls: traffic(Math.ceil(periodUs / limit), burst + 1),
    }),
  ),
);
const strictCases = limits.chain(({ limit, periodUs }) =>
  fc.integer({ min: 1, max: limit }).chain((burst) =>
    fc.record({
      limit: fc.constant(limit),
      periodUs: fc.constant(periodUs),
      burst: fc.constant(burst),
      calls: traffic(Math.ceil(periodUs / (limit + 1 - burst)), burst + 1),
    }),
  ),
);

describe('a token bucket', () => {
  test('RL12: admits the burst at once, then one unit per interval', () => {
    const bucket = pacedBucket(10, 1_000_000, 3);
    const at = (ms: number): Call => ({ gapUs: ms * 1_000, cost: 1 });
    const times = admit(bucket, [at(0), at(0), at(0), at(0), at(99), at(1), at(0), at(100)]).map(({ atUs }) => atUs);
    expect(times).toEqual([0, 0, 0, 100_000, 200_000]);
  });

  test('a cost above the burst can never be allowed, and says so', () => {
    const bucket = pacedBucket(10, 1_000_000, 3);
    expect(decide(bucket, 0, 4, 1_000_000_000)).toEqual({ allowed: false, retryAfterUs: undefined });
  });

  test('a cost of nothing is always allowed and spends nothing', () => {
    const bucket = pacedBucket(1, 1_000_000, 1);
    expect(decide(bucket, 1_000_000, 0, 0)).toEqual({ allowed: true, nextUs: 1_000_000 });
  });

  test('a denial writes nothing', () => {
    const bucket = pacedBucket(1, 1_000_000, 1);
    const times = new Float64Array([1_000_000]);
    commit(times, 0, decide(bucket, 1_000_000, 1, 0));
    expect(times).toEqual(new Float64Array([1_000_000]));
  });

  test('a clock that goes back adds nothing', () => {
    const bucket = pacedBucket(10, 1_000_000, 10);
    expect(remainingUnits(bucket, 1_000_000, -5_000_000)).toBe(0);
    expect(decide(bucket, 1_000_000, 1, -5_000_000)).toEqual({ allowed: false, retryAfterUs: 5_100_000 });
  });

  test('RL12: decides as a counter that is refilled each microsecond would', () => {
    fc.assert(
      fc.property(pacedCases, ({ limit, periodUs, burst, calls }) => {
        const bucket = pacedBucket(limit, periodUs, burst);
        const model = createCounter(bucket);
        let arrivalUs = 0;
        let nowUs = 0;
        for (const { gapUs, cost } of calls) {
          nowUs += gapUs;
          const expected = model.spend(nowUs, cost);
          const verdict = decide(bucket, arrivalUs, cost, nowUs);
          if (verdict.allowed) arrivalUs = verdict.nextUs;
          expect({
            allowed: verdict.allowed,
            retryAfterUs: verdict.allowed ? 0 : verdict.retryAfterUs,
            remaining: remainingUnits(bucket, arrivalUs, nowUs),
            fullAfterUs: fullAfterUs(arrivalUs, nowUs),
          }).toEqual(expected);
        }
      }),
    );
  });

  test('RL12: admits no more than burst + window / interval in any window', () => {
    fc.assert(
      fc.property(pacedCases, ({ limit, periodUs, burst, calls }) => {
        const admitted = admit(pacedBucket(limit, periodUs, burst), calls);
        for (const windowUs of [0, 1, periodUs - 1, periodUs, 2 * periodUs]) {
          // Against the rate the user wrote, not the rounded interval.
          expect(mostWithin(admitted, windowUs)).toBeLessThanOrEqual(burst + (windowUs * limit) / periodUs);
        }
      }),
    );
  });

  test('RL12: strict admits no more than the limit in any window of a period', () => {
    fc.assert(
      fc.property(strictCases, ({ limit, periodUs, burst, calls }) => {
        const admitted = admit(strictBucket(limit, periodUs, burst), calls);
        expect(mostWithin(admitted, periodUs - 1)).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test('strict keeps its promise no tighter than needed: a patient caller gets the limit in a period', () => {
    const bucket = strictBucket(10, 1_000_000, 4);
    const eager = Array.from({ length: 100_000 }, (): Call => ({ gapUs: 10, cost: 1 }));
    expect(mostWithin(admit(bucket, eager), 999_999)).toBe(10);
  });

  test('the wait it tells is tight: a microsecond earlier is denied, then it is allowed', () => {
    fc.assert(
      fc.property(pacedCases, ({ limit, periodUs, burst, calls }) => {
        const bucket = pacedBucket(limit, periodUs, burst);
        let arrivalUs = 0;
        let nowUs = 0;
        for (const { gapUs, cost } of calls) {
          nowUs += gapUs;
          const verdict = decide(bucket, arrivalUs, cost, nowUs);
          if (verdict.allowed) {
            arrivalUs = verdict.nextUs;
          } else if (verdict.retryAfterUs !== undefined) {
            expect(decide(bucket, arrivalUs, cost, nowUs + verdict.retryAfterUs - 1).allowed).toBe(false);
            expect(decide(bucket, arrivalUs, cost, nowUs + verdict.retryAfterUs).allowed).toBe(true);
          }
        }
      }),
    );
  });
});

function admit(bucket: TokenBucket, calls: readonly Call[]): Admitted[] {
  const times = new Float64Array(1);
  const admitted: Admitted[] = [];
  let atUs = 0;
  for (const { gapUs, cost } of calls) {
    atUs += gapUs;
    const verdict = decide(bucket, times[0] ?? 0, cost, atUs);
    commit(times, 0, verdict);
    if (verdict.allowed) admitted.push({ atUs, cost });
  }
  return admitted;
}

/** The reference: a counter and a clock, in exact integers. It holds microseconds of refill, of which a unit takes `intervalUs`. */
function createCounter({ intervalUs, burst }: TokenBucket) {
  const unit = BigInt(intervalUs);
  const most = BigInt(burst) * unit;
  let level = most;
  let atUs = 0n;
  return {
    spend(now: number, cost: number) {
      const nowUs = BigInt(now);
      level = level + nowUs - atUs < most ? level + nowUs - atUs : most;
      atUs = nowUs;
      const price = BigInt(cost) * unit;
      const allowed = level >= price;
      const retryAfterUs = allowed ? 0 : price > most ? undefined : Number(price - level);
      if (allowed) level -= price;
      return { allowed, retryAfterUs, remaining: Number(level / unit), fullAfterUs: Number(most - level) };
    },
  };
}
