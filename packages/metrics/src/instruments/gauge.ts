import type { MetricDefinition } from '../definition.ts';
import { type CellInstrument, createCellInstrument } from './instrument.ts';
import { Series } from './series.ts';

/** A level of one series. */
export interface BoundGauge {
  set(level: number): void;
  inc(amount?: number): void;
  dec(amount?: number): void;
}

export interface Gauge<L extends readonly string[] = readonly string[]> extends CellInstrument<L, BoundGauge> {}

export function createGauge<const L extends readonly string[] = readonly []>(
  definition: MetricDefinition<L>,
  limit: number,
): Gauge<L> {
  const { partsPerUnit = 1 } = definition;
  return createCellInstrument({
    type: 'gauge',
    definition,
    series: new Series(definition, limit, () => new GaugeCell()),
    linesOf: ({ labels, cell }) => [{ labels, value: cell.level / partsPerUnit }],
    clear: (cell) => cell.set(0),
  });
}

class GaugeCell implements BoundGauge {
  level = 0;

  set(level: number): void {
    this.level = level;
  }

  inc(amount: number = 1): void {
    this.level += amount;
  }

  dec(amount: number = 1): void {
    this.level -= amount;
  }
}
