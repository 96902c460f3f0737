import * as fc from 'fast-check';

/** One call of some traffic: how long after the one before, and what it costs. */
export interface Call {
  readonly gapUs: number;
  readonly cost: number;
}

/** What was admitted, on the clock of the traffic. */
export interface Admitted {
  readonly atUs: number;
  readonly cost: number;
}

/** Traffic around an interval: bursts at one instant, gaps a microsecond to either side of the interval, long silences. */
export function traffic(intervalUs: number, mostCost: number): fc.Arbitrary<readonly Call[]> {
  const gapUs = fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: Math.max(0, intervalUs - 1), max: intervalUs + 1 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 3 * intervalUs }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 * intervalUs }) },
  );
  const cost = fc.oneof(
    { weight: 3, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: mostCost }) },
  );
  return fc.array(fc.record({ gapUs, cost }), { maxLength: 120 });
}

/** The most units admitted within `windowUs` from any admitted call on, ends included. */
export function mostWithin(admitted: readonly Admitted[], windowUs: number): number {
  return Math.max(
    0,
    ...admitted.map(({ atUs }) =>
      admitted
        .filter((other) => other.atUs >= atUs && other.atUs <= atUs + windowUs)
        .reduce((sum, { cost }) => sum + cost, 0),
    ),
  );
}
