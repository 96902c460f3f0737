import type { MetricDefinition } from '../definition.ts';
import type { Instrument, LabelValues } from './instrument.ts';
import { createGauge } from './gauge.ts';

/** Adds a value to the series of these labels; values of equal labels are summed. */
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
      read((value, ...values) => {
        if (Number.isFinite(value)) levels.with(...values).inc(value);
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
