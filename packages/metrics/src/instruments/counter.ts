import type { MetricDefinition } from '../definition.ts';
import { type CellInstrument, createCellInstrument } from './instrument.ts';
import { Series } from './series.ts';

/** A total of one series. */
export interface BoundCounter {
  /** Adds `amount`, 1 by default. What is not a positive, finite number is ignored: a total never goes back. */
  inc(amount?: number): void;
}

export interface Counter<L extends readonly string[] = readonly string[]> extends CellInstrument<L, BoundCounter> {}

export function createCounter<const L extends readonly string[] = readonly []>(
  definition: MetricDefinition<L>,
  limit: number,
): Counter<L> {
  const { partsPerUnit = 1 } = definition;
  return createCellInstrument({
    type: 'counter',
    definition,
    series: new Series(definition, limit, () => new CounterCell()),
    linesOf: ({ labels, cell }) => [{ labels, value: cell.total / partsPerUnit }],
    clear: (cell) => void (cell.total = 0),
  });
}

class CounterCell implements BoundCounter {
  total = 0;

  inc(amount: number = 1): void {
    if (amount > 0 && amount < Number.POSITIVE_INFINITY) this.total += amount;
  }
}
