/** What many processes share in a test, and what one of them reports. */
import { ruleOf } from './asks.ts';

/** When it was asked and answered, in microseconds, and how much it was. */
export type Admission = readonly [sentUs: number, answeredUs: number, cost: number];

export interface WorkerReport {
  /** By the rules of {@link windowRules}. */
  readonly windows: readonly (readonly Admission[])[];
  /** From when to when a slot was held for certain. */
  readonly slots: readonly Admission[];
  readonly spent: number;
}

export const periodUs = 400_000;
const per = { ms: periodUs / 1_000 };

/** Rules that promise their limit in any window of {@link periodUs}: a log, a ring, a strict bucket. */
export const windowRules = [
  ruleOf({ name: 'log', strategy: 'sliding-window', limit: 20, per }, 'log'),
  ruleOf({ name: 'ring', strategy: 'sliding-window', limit: 200, per }, 'ring'),
  ruleOf({ name: 'strict', strict: true, burst: 10, limit: 30, per }, 'strict'),
];

export const slotsRule = ruleOf({ name: 'slots', unit: 'concurrency', limit: 3 });
export const budgetRule = ruleOf({ name: 'budget', unit: 'cost', limit: 3_000, per: 'calendar-day' });

/** The most that was admitted for certain within so long: asked for after its start, answered before its end. */
export function mostInWindow(admissions: readonly Admission[], windowUs = periodUs): number {
  const bySent = admissions.toSorted(([a], [b]) => a - b);
  return Math.max(
    ...bySent.map(([startUs], first) => {
      let sum = 0;
      for (let index = first; index < bySent.length; index++) {
        const [sentUs, answeredUs, cost] = bySent[index] ?? [Number.POSITIVE_INFINITY, 0, 0];
        if (sentUs >= startUs + windowUs) break;
        if (answeredUs < startUs + windowUs) sum += cost;
      }
      return sum;
    }),
  );
}
