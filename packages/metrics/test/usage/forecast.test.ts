import { describe, expect, test } from '@jest/globals';
import { createSeededRandom } from '@sage-adk/core/testing';
import { daysOf, plusDays } from '../../src/usage/day.ts';
import { forecastCost } from '../../src/usage/index.ts';

const today = '2026-11-16'; // a Monday
const past = (days: number, cost: (index: number, day: string) => number): ReadonlyMap<string, number> =>
  new Map(daysOf(plusDays(today, -days), plusDays(today, -1)).map((day, i) => [day, cost(i, day)]));
const isWeekend = (day: string) => [0, 6].includes(new Date(`${day}T00:00:00Z`).getUTCDay());

describe('the cost forecast', () => {
  test('OC3: fewer than three whole days give none, and today is not a whole day', () => {
    expect(forecastCost(new Map(), today)).toBeUndefined();
    expect(
      forecastCost(
        past(2, () => 1),
        today,
      ),
    ).toBeUndefined();
    expect(forecastCost(new Map([...past(3, () => 1), [today, 1_000]]), today)?.next7Days.usd).toBe(7);
  });

  test('OC3: days without usage between the first and today cost nothing', () => {
    const forecast = forecastCost(new Map([[plusDays(today, -4), 8]]), today);
    expect([forecast?.method, forecast?.days, forecast?.next7Days.usd]).toEqual(['mean', 4, 14]);
  });

  test('OC3: constant cost goes on, with no spread', () => {
    const forecast = forecastCost(
      past(28, () => 3),
      today,
    );
    expect(forecast?.method).toBe('line and weekdays');
    for (const value of Object.values(forecast?.next30Days ?? {})) expect(value).toBeCloseTo(90, 9);
  });

  test('OC3: growth goes on as a line', () => {
    const truth = daysOf(today, plusDays(today, 6)).reduce((sum, _, i) => sum + 100 + (28 + i), 0);
    const usd =
      forecastCost(
        past(28, (i) => 100 + i),
        today,
      )?.next7Days.usd ?? 0;
    expect(Math.abs(usd - truth) / truth).toBeLessThan(0.02);
  });

  test('OC3: quiet weekends stay quiet: closer to the truth than a mean, week by week', () => {
    const cost = (day: string) => (isWeekend(day) ? 20 : 100);
    const coming = (to: string) => daysOf(today, to).reduce((sum, day) => sum + cost(day), 0);
    const month = forecastCost(
      past(28, (_, day) => cost(day)),
      today,
    )?.month;
    const spent = daysOf('2026-11-01', '2026-11-15').reduce((sum, day) => sum + cost(day), 0);
    const truth = spent + coming('2026-11-30');
    expect(Math.abs((month?.usd ?? 0) - truth) / truth).toBeLessThan(0.05);
  });

  test('OC3: a falling cost ends at 0 and not below', () => {
    const forecast = forecastCost(
      past(28, (i) => Math.max(0, 100 - 5 * i)),
      today,
    );
    expect(forecast?.next30Days.usd).toBeGreaterThanOrEqual(0);
    expect(forecast?.next30Days.lowUsd).toBe(0);
  });

  test('OC3: about four of five outcomes of a noisy cost lie in the range', () => {
    const random = createSeededRandom(7);
    const noise = () => Array.from({ length: 12 }, random).reduce((sum, value) => sum + value, -6);
    let within = 0;
    const runs = 400;
    for (let i = 0; i < runs; i++) {
      const { lowUsd = 0, highUsd = 0 } =
        forecastCost(
          past(10, () => 100 + 10 * noise()),
          today,
        )?.next7Days ?? {};
      const outcome = Array.from({ length: 7 }, () => 100 + 10 * noise()).reduce((sum, value) => sum + value, 0);
      if (outcome >= lowUsd && outcome <= highUsd) within++;
    }
    expect(within / runs).toBeGreaterThan(0.7);
    expect(within / runs).toBeLessThan(0.9);
  });
});
