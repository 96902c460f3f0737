/**
 * What the coming days will cost, from whole days that are over.
 *
 * Method: the last 28 whole days, from the first that had usage. With 14 or more, the last two, three or four whole weeks, fitted by least squares with one slope for
 * all and a level for each weekday, so that a quiet weekend at the end is no decline.
 * With 3 to 13 days it is their mean. With fewer there is no forecast. The range is 1.28 standard deviations: those of single days around the fit, and of the fit
 * itself. Four of five outcomes lie in it, if days deviate independently. Nothing is below 0.
 */
import { daysOf, monthEnd, plusDays, startOf } from './day.ts';

export interface CostForecast {
  readonly method: 'line and weekdays' | 'mean';
  /** Whole days that it is made from. */
  readonly days: number;
  /** From `today` on, which counts as a day to come. US dollars. */
  readonly next7Days: CostRange;
  readonly next30Days: CostRange;
  /** The whole month that `today` is in: what its days before today did cost, and what the rest will. */
  readonly month: CostRange;
}

/** US dollars: what is expected, and the range in which four of five outcomes lie. */
export interface CostRange {
  readonly usd: number;
  readonly lowUsd: number;
  readonly highUsd: number;
}

const longestDays = 28;
const seasonalFrom = 14;
const fewestDays = 3;
const fourOfFive = 1.28;

/** @param costUsd by day; days that are missing cost nothing. @param today the first day that is not over. */
export function forecastCost(costUsd: ReadonlyMap<string, number>, today: string): CostForecast | undefined {
  const first = [...costUsd.keys()].filter((day) => day < today).toSorted()[0];
  if (first === undefined) return undefined;
  const earliest = plusDays(today, -longestDays);
  const known = daysOf(first > earliest ? first : earliest, plusDays(today, -1));
  if (known.length < fewestDays) return undefined;
  // Whole weeks, so that each weekday weighs the same.
  const days = known.length < seasonalFrom ? known : known.slice(known.length % 7);
  const costs = days.map((day) => costUsd.get(day) ?? 0);
  const model = days.length < seasonalFrom ? meanOf(costs) : lineAndWeekdays(days, costs);
  const deviation = deviationOf(
    days.map((day, i) => (costs[i] ?? 0) - model.at(day)),
    model.parameters,
  );

  const range = (to: string, spent = 0): CostRange => {
    const coming = daysOf(today, to);
    const expected = coming.reduce((sum, day) => sum + Math.max(0, model.at(day)), 0);
    const variance = coming.length + coming.length ** 2 * model.varianceOf(coming);
    const spread = fourOfFive * deviation * Math.sqrt(variance);
    return {
      usd: spent + expected,
      lowUsd: spent + Math.max(0, expected - spread),
      highUsd: spent + expected + spread,
    };
  };
  const ofMonth = daysOf(`${today.slice(0, 7)}-01`, plusDays(today, -1));
  const spent = ofMonth.reduce((sum, day) => sum + (costUsd.get(day) ?? 0), 0);
  return {
    method: days.length < seasonalFrom ? 'mean' : 'line and weekdays',
    days: days.length,
    next7Days: range(plusDays(today, 6)),
    next30Days: range(plusDays(today, 29)),
    month: range(monthEnd(today), spent),
  };
}

interface Model {
  readonly at: (day: string) => number;
  /** Numbers that were fitted, for the deviation. */
  readonly parameters: number;
  /** Variance of the fit's own mean over these days, in variances of a day. */
  readonly varianceOf: (days: readonly string[]) => number;
}

function meanOf(costs: readonly number[]): Model {
  const mean = average(costs);
  return { at: () => mean, parameters: 1, varianceOf: () => 1 / costs.length };
}

function lineAndWeekdays(days: readonly string[], costs: readonly number[]): Model {
  const start = startOf(days[0] ?? '');
  const indexOf = (day: string) => Math.round((startOf(day) - start) / 86_400_000);
  const weeks = days.length / 7;
  // How far a day is from the middle of the days of its weekday: the slope goes by nothing else.
  const distances = days.map((_, i) => 7 * (Math.floor(i / 7) - (weeks - 1) / 2));
  const along = distances.reduce((sum, distance) => sum + distance ** 2, 0);
  const slope = costs.reduce((sum, cost, i) => sum + (distances[i] ?? 0) * cost, 0) / along;
  const levels = Array.from({ length: 7 }, (_, place) => average(costs.filter((_cost, i) => i % 7 === place)));
  const aheadOf = (index: number) => index - (index % 7) - (7 * (weeks - 1)) / 2;
  return {
    at: (day) => (levels[indexOf(day) % 7] ?? 0) + slope * aheadOf(indexOf(day)),
    parameters: 8,
    varianceOf: (coming) => 1 / days.length + average(coming.map((day) => aheadOf(indexOf(day)))) ** 2 / along,
  };
}

function deviationOf(errors: readonly number[], parameters: number): number {
  return Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / Math.max(1, errors.length - parameters));
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
