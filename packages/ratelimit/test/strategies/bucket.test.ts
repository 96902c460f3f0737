import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compileRule } from '../../src/compile.ts';
import type { Rule } from '../../src/rule.ts';
import {
  type Bucket,
  bucketDelayLeftUs,
  bucketDelayUs,
  bucketRemaining,
  bucketResetUs,
  type BucketState,
  bucketWaitUs,
  drainTo,
  freshBucket,
  holdInBucket,
  mostDebt,
  mostParts,
  reweigh,
  settleBucket,
  spendAtOnce,
  spendFromBucket,
} from '../../src/strategies/bucket.ts';
import { rateOf } from '../../src/strategies/rate.ts';
import { type Admitted, type Call, mostWithin, traffic } from '../support/traffic.ts';

const startUs = 1_735_689_600_000_000;
const limits = fc.record({
  limit: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(7_919, 999_983)),
  ms: fc.constantFrom(1_000, 60_000, 86_400_000, 997),
});
const cases = (strict: boolean) =>
  limits.chain(({ limit, ms }) =>
    fc.integer({ min: 1, max: !strict ? 2 * limit : limit < 100 ? limit : limit >> 1 }).chain((burst) =>
      fc.record({
        limit: fc.constant(limit),
        periodUs: fc.constant(ms * 1_000),
        bucket: fc.constant(bucketOf({ limit, per: { ms }, burst, strict })),
        calls: traffic(Math.ceil((ms * 1_000) / limit), burst + 1),
      }),
    ),
  );

describe('a bucket', () => {
  test('RL12: admits the burst at once, then one unit per interval', () => {
    const bucket = bucketOf({ limit: 10, per: 'second', burst: 3 });
    const at = (ms: number): Call => ({ gapUs: ms * 1_000, cost: 1 });
    const times = admit(bucket, [at(0), at(0), at(0), at(0), at(99), at(1), at(0), at(100)]).map(({ atUs }) => atUs);
    expect(times).toEqual([0, 0, 0, 100_000, 200_000]);
  });

  test('RL12: tells rates above a million per second apart', () => {
    const bucket = bucketOf({ limit: 3_000_000, per: 'second', burst: 3 });
    const state = freshBucket();
    drainTo(bucket, state, startUs);
    spendFromBucket(bucket, state, 3);
    drainTo(bucket, state, startUs + 1);
    expect(bucketRemaining(bucket, state)).toBe(3);
    const slower = bucketOf({ limit: 2_999_999, per: 'second', burst: 3 });
    const other = freshBucket();
    drainTo(slower, other, startUs);
    spendFromBucket(slower, other, 3);
    drainTo(slower, other, startUs + 1);
    expect(bucketRemaining(slower, other)).toBe(2);
  });

  test('a cost above the burst can never be allowed', () => {
    const bucket = bucketOf({ limit: 10, per: 'second', burst: 3 });
    expect(bucketWaitUs(bucket, freshBucket(), 4, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  test('the hot path decides and keeps the same as one step after the other', () => {
    fc.assert(
      fc.property(cases(false), ({ bucket, calls }) => {
        const state = freshBucket();
        const row = new Float64Array(6);
        const told = { waitUs: 0, level: 0 };
        let nowUs = startUs;
        for (const { gapUs, cost } of calls) {
          nowUs += gapUs;
          const before = { ...state };
          drainTo(bucket, state, nowUs);
          const wasIdle = state.debt === 0;
          const waitUs = bucketWaitUs(bucket, state, cost, 0);
          const spends = waitUs === 0 && cost > 0;
          if (spends) spendFromBucket(bucket, state, cost);
          expect(spendAtOnce(bucket, row, 3, cost, nowUs, told)).toBe(spends && wasIdle);
          expect(told).toEqual({ waitUs, level: state.debt });
          if (!spends) Object.assign(state, before);
          expect([...row]).toEqual([0, 0, 0, state.debt, state.atUs, state.sinceUs]);
        }
      }),
    );
  });

  test('a cost of nothing is always allowed and spends nothing', () => {
    const bucket = bucketOf({ limit: 1, per: 'second' });
    const state = owing(bucket, 5);
    const before = { ...state };
    expect(bucketWaitUs(bucket, state, 0, 0)).toBe(0);
    spendFromBucket(bucket, state, 0);
    expect(state).toEqual(before);
  });

  test('a clock that goes back adds nothing', () => {
    const bucket = bucketOf({ limit: 10, per: 'second' });
    const state = owing(bucket, 10);
    drainTo(bucket, state, startUs - 5_000_000);
    expect(bucketRemaining(bucket, state)).toBe(0);
    drainTo(bucket, state, startUs);
    expect(bucketRemaining(bucket, state)).toBe(0);
  });

  test('RL12: decides as a counter of exact fractions would', () => {
    fc.assert(
      fc.property(cases(false), ({ bucket, calls }) => {
        const model = createCounter(bucket);
        const state = freshBucket();
        let nowUs = startUs;
        for (const { gapUs, cost } of calls) {
          nowUs += gapUs;
          drainTo(bucket, state, nowUs);
          const waitUs = bucketWaitUs(bucket, state, cost, 0);
          if (waitUs === 0) spendFromBucket(bucket, state, cost);
          const remaining = bucketRemaining(bucket, state);
          expect({ waitUs, remaining, resetUs: bucketResetUs(bucket, state) }).toEqual(model.spend(nowUs, cost));
        }
      }),
    );
  });

  test('RL12: admits no more than burst + window * rate in any window', () => {
    fc.assert(
      fc.property(cases(false), ({ limit, periodUs, bucket, calls }) => {
        const admitted = admit(bucket, calls);
        for (const windowUs of [0, 1, periodUs - 1, periodUs, 2 * periodUs]) {
          expect(mostWithin(admitted, windowUs)).toBeLessThanOrEqual(bucket.burst + (windowUs * limit) / periodUs);
        }
      }),
    );
  });

  test('RL12: strict admits no more than the limit in any window of a period', () => {
    fc.assert(
      fc.property(cases(true), ({ limit, periodUs, bucket, calls }) => {
        expect(mostWithin(admit(bucket, calls), periodUs - 1)).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test('strict keeps its promise no tighter than needed: a patient caller gets the limit in a period', () => {
    const bucket = bucketOf({ limit: 10, per: 'second', burst: 4, strict: true });
    const eager = Array.from({ length: 100_000 }, (): Call => ({ gapUs: 10, cost: 1 }));
    expect(mostWithin(admit(bucket, eager), 999_999)).toBe(10);
  });

  test('the wait it tells is tight: a microsecond earlier is denied, then it is allowed', () => {
    fc.assert(
      fc.property(cases(false), ({ bucket, calls }) => {
        const state = freshBucket();
        let nowUs = startUs;
        for (const { gapUs, cost } of calls) {
          nowUs += gapUs;
          drainTo(bucket, state, nowUs);
          const waitUs = bucketWaitUs(bucket, state, cost, 0);
          if (waitUs === 0) spendFromBucket(bucket, state, cost);
          else if (waitUs !== Number.POSITIVE_INFINITY) {
            expect(waitAt(bucket, state, cost, nowUs + waitUs - 1)).toBe(1);
            expect(waitAt(bucket, state, cost, nowUs + waitUs)).toBe(0);
          }
        }
      }),
    );
  });

  test('what is charged by force stops at a bound and is paid off from there', () => {
    const bucket = bucketOf({ limit: 10, per: 'second' });
    const state = owing(bucket, Number.MAX_SAFE_INTEGER);
    expect(state.debt).toBe(mostDebt);
    expect(bucketRemaining(bucket, state)).toBe(0);
    expect(waitAt(bucket, state, 1, startUs + bucketWaitUs(bucket, state, 1, 0))).toBe(0);
  });

  test('changes its weight without giving anything away', () => {
    const state = owing(bucketOf({ limit: 10, per: 'second' }), 7);
    const wider = bucketOf({ limit: 13, per: 'second' });
    state.debt -= 1;
    reweigh(state, bucketOf({ limit: 10, per: 'second' }).weight, wider.weight);
    expect(bucketRemaining(wider, state)).toBe(6);
  });

  test('owes the same by another weight, to a part, and what is held to the unit', () => {
    const weight = fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: mostParts }));
    fc.assert(
      fc.property(weight, weight, fc.integer({ min: 0, max: mostDebt }), fc.nat(1_000), (from, to, debt, units) => {
        const held = Math.min(units, Math.floor(mostDebt / Math.max(from, to)));
        const state = { debt, solid: 0, held: held * from, atUs: 0, sinceUs: 0 };
        reweigh(state, from, to);
        const exact = BigInt(debt) * BigInt(to);
        const beyond = BigInt(state.debt) * BigInt(from) - exact;
        if (exact > BigInt(mostDebt) * BigInt(from)) expect(state.debt).toBe(mostDebt);
        else expect([beyond * 4n > -BigInt(from), beyond * 4n < 5n * BigInt(from)]).toEqual([true, true]);
        expect(state.held).toBe(held * to);
      }),
    );
  });

  test('drains at its rate while two limits take turns at it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 2_000 }), (one, other) => {
        let bucket = bucketOf({ limit: one, per: 'minute', burst: 1_000 });
        let next = bucketOf({ limit: other, per: 'minute', burst: 1_000 });
        const state = owing(bucket, 500);
        for (let n = 1; n <= 600; n++) {
          reweigh(state, bucket.weight, next.weight);
          [bucket, next] = [next, bucket];
          drainTo(bucket, state, startUs + n * 10_000);
        }
        // Half of six seconds by each; a turn adds at most a part of the coarser one, which is gone within a microsecond.
        const drained = (3 * (one + other)) / 60;
        const left = state.debt / bucket.weight;
        expect(Math.abs(left - Math.max(0, 500 - drained))).toBeLessThan(0.05);
      }),
    );
  });
});

describe('a leaky bucket', () => {
  test('RL15: as a meter it lets one request out per interval', () => {
    const bucket = bucketOf({ limit: 10, per: 'second', strategy: 'leaky-bucket' });
    const eager = Array.from({ length: 50 }, (): Call => ({ gapUs: 10_000, cost: 1 }));
    expect(admit(bucket, eager).map(({ atUs }) => atUs)).toEqual([10_000, 110_000, 210_000, 310_000, 410_000]);
  });

  test('RL15: as a queue it gives each its departure, in order, until the queue is full', () => {
    const bucket = bucketOf({ limit: 10, per: 'second', strategy: 'leaky-bucket', maxQueue: 2 });
    const state = freshBucket();
    drainTo(bucket, state, startUs);
    expect(Array.from({ length: 4 }, () => enqueue(bucket, state, 1_000_000))).toEqual([
      { delayUs: 0 },
      { delayUs: 100_000 },
      { delayUs: 200_000 },
      { waitUs: 100_000 },
    ]);
    drainTo(bucket, state, startUs + 100_000);
    expect(enqueue(bucket, state, 1_000_000)).toEqual({ delayUs: 200_000 });
  });

  test('RL15: a caller that would wait too long is not queued, and told when it would be', () => {
    const bucket = bucketOf({ limit: 10, per: 'second', strategy: 'leaky-bucket', maxQueue: 9 });
    const state = freshBucket();
    drainTo(bucket, state, startUs);
    for (let n = 0; n < 3; n++) enqueue(bucket, state, 1_000_000);
    expect(enqueue(bucket, state, 250_000)).toEqual({ waitUs: 50_000 });
    expect(enqueue(bucket, state, 300_000)).toEqual({ delayUs: 300_000 });
  });

  test('tells who asks again what is left of the wait, to a microsecond more', () => {
    const whole = (max: number) => fc.integer({ min: 1, max });
    fc.assert(
      fc.property(
        whole(5_000),
        whole(20),
        fc.array(whole(20), { maxLength: 9 }),
        fc.nat(100_000),
        (limit, burst, costs, passUs) => {
          const bucket = bucketOf({ limit, per: 'second', burst, strategy: 'leaky-bucket', maxQueue: 400 });
          const state = freshBucket();
          drainTo(bucket, state, startUs);
          for (const cost of costs) {
            const delayUs = bucketDelayUs(bucket, state, Math.min(cost, burst));
            const mark = holdInBucket(bucket, state, Math.min(cost, burst));
            const lateUs = bucketDelayLeftUs(bucket, mark, startUs + passUs) - Math.max(0, delayUs - passUs);
            expect([0, 1]).toContain(lateUs);
          }
        },
      ),
    );
  });

  test('RL15: who leaves the end of the queue leaves no gap, who leaves the middle keeps it', () => {
    const bucket = bucketOf({ limit: 10, per: 'second', strategy: 'leaky-bucket', maxQueue: 9 });
    const state = freshBucket();
    drainTo(bucket, state, startUs);
    const marks = [1, 2, 3].map(() => holdInBucket(bucket, state, 1));
    settleBucket(bucket, state, 1, marks[1] ?? 0, 0);
    expect(bucketDelayUs(bucket, state, 1)).toBe(300_000);
    settleBucket(bucket, state, 1, marks[2] ?? 0, 0);
    expect(bucketDelayUs(bucket, state, 1)).toBe(200_000);
  });
});

describe('the rate of a bucket', () => {
  test('is exact where the fraction is small enough', () => {
    expect(rateOf(1_000_000, 10, 2 ** 40)).toEqual({ weight: 100_000, drain: 1 });
    expect(rateOf(86_400_000_000, 1_000_000_000, 2 ** 18)).toEqual({ weight: 432, drain: 5 });
    expect(rateOf(3_600_000_000, 1_000_000_000_000, 100)).toEqual({ weight: 9, drain: 2_500 });
  });

  test('else is the nearest above: never faster than the limit, and hardly slower', () => {
    const whole = (max: number) => fc.integer({ min: 1, max });
    fc.assert(
      fc.property(whole(31_622_400_000_000), whole(2 ** 48), whole(2 ** 48), (periodUs, units, mostWeight) => {
        const rate = rateOf(periodUs, units, mostWeight);
        if (rate === undefined) {
          expect(BigInt(periodUs)).toBeGreaterThan(BigInt(mostWeight) * BigInt(units));
          return;
        }
        expect(rate.weight).toBeLessThanOrEqual(mostWeight);
        const slack = BigInt(rate.weight) * BigInt(units) - BigInt(rate.drain) * BigInt(periodUs);
        expect(slack).toBeGreaterThanOrEqual(0n);
      }),
    );
  });

  test('slows no bucket by more than its period in the parts that its limit is counted in', () => {
    const limit = fc.oneof(fc.integer({ min: 1, max: 2 ** 20 }), fc.integer({ min: 1, max: 2 ** 47 }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 31 * 86_400_000 }), limit, (ms, units) => {
        const { weight, drain } = bucketOf({ limit: units, per: { ms } });
        const slower = 1 - ((drain / weight) * ms * 1_000) / units;
        // Two neighbouring fractions of such weights differ by one part in the product of a weight and a drain.
        const parts = units * Math.floor(mostParts / units);
        expect(slower).toBeLessThanOrEqual((ms * 1_000) / parts + 1e-12);
      }),
    );
  });
});

function bucketOf(rule: Omit<Rule, 'name' | 'scope'>): Bucket {
  const strategy = compileRule({ ...rule, name: 'rule', scope: 'user' }, 'user')?.strategy;
  if (strategy?.kind !== 'bucket') throw new TypeError('not a bucket');
  return strategy;
}

function owing(bucket: Bucket, units: number): BucketState {
  const state = freshBucket();
  drainTo(bucket, state, startUs);
  spendFromBucket(bucket, state, units);
  return state;
}

function waitAt(bucket: Bucket, state: BucketState, cost: number, nowUs: number): number {
  const later = { ...state };
  drainTo(bucket, later, nowUs);
  return bucketWaitUs(bucket, later, cost, 0);
}

function enqueue(bucket: Bucket, state: BucketState, maxWaitUs: number) {
  const waitUs = bucketWaitUs(bucket, state, 1, maxWaitUs);
  if (waitUs > 0) return { waitUs };
  const delayUs = bucketDelayUs(bucket, state, 1);
  spendFromBucket(bucket, state, 1);
  return { delayUs };
}

function admit(bucket: Bucket, calls: readonly Call[]): Admitted[] {
  const state = freshBucket();
  const admitted: Admitted[] = [];
  let atUs = 0;
  for (const { gapUs, cost } of calls) {
    atUs += gapUs;
    drainTo(bucket, state, startUs + atUs);
    if (bucketWaitUs(bucket, state, cost, 0) > 0) continue;
    spendFromBucket(bucket, state, cost);
    admitted.push({ atUs, cost });
  }
  return admitted;
}

/** The reference: what is left and a clock, in exact integers of `1 / weight` units. */
function createCounter({ weight, drain, burst }: Bucket) {
  const unit = BigInt(weight);
  const most = BigInt(burst) * unit;
  let level = most;
  let at = BigInt(startUs);
  const ceil = (parts: bigint): number => Number((parts + BigInt(drain) - 1n) / BigInt(drain));
  return {
    spend(nowUs: number, cost: number) {
      const refilled = level + (BigInt(nowUs) - at) * BigInt(drain);
      level = refilled < most ? refilled : most;
      at = BigInt(nowUs);
      const price = BigInt(cost) * unit;
      const waitUs = price > most ? Number.POSITIVE_INFINITY : level >= price ? 0 : ceil(price - level);
      if (waitUs === 0) level -= price;
      return { waitUs, remaining: Number(level / unit), resetUs: ceil(most - level) };
    },
  };
}
