import { combine, type MetricDefinition } from '../definition.ts';
import type { Instrument, LabelValues } from './instrument.ts';
import { type BoundGauge, createGauge } from './gauge.ts';

/** Adds a value to the series of these labels; values of equal labels become one, as the definition says (`aggregate`). */
export type Add<L extends readonly string[]> = (value: number, ...values: LabelValues<L>) => void;

/** A metric that is read when it is scraped, and costs nothing in between. Series that are not read again are gone. */
export function createPulled<const L extends readonly string[]>(
  type: 'counter' | 'gauge',
  definition: MetricDefinition<L>,
  limit: number,
  read: (add: Add<L>) => void,
): Instrument {
  let levels = createGauge(definition, limit);
  let overflowed = 0;
  return {
    type,
    definition,
    samples(from = 0, to) {
      if (from > 0) return levels.samples(from, to);
      levels = createGauge(definition, limit);
      const known = new Map<BoundGauge, number>();
      read((value, ...values) => {
        if (!Number.isFinite(value)) return;
        const cell = levels.with(...values);
        const before = known.get(cell);
        const level = before === undefined ? value : combine[definition.aggregate ?? 'sum'](before, value);
        known.set(cell, level);
        cell.set(level);
      });
      overflowed += levels.overflowed;
      return levels.samples(from, to);
    },
    reset() {},
    get size() {
      return levels.size;
    },
    get overflowed() {
      return overflowed;
    },
  };
}
