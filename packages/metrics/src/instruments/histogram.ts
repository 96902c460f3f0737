import type { HistogramDefinition } from '../definition.ts';
import { type CellInstrument, createCellInstrument, type Sample } from './instrument.ts';
import { Series } from './series.ts';

/** A distribution of one series. */
export interface BoundHistogram {
  /** Counts `value` in the first bucket whose bound is not below it. What is not a finite number is ignored. */
  observe(value: number): void;
}

export interface Histogram<L extends readonly string[] = readonly string[]> extends CellInstrument<L, BoundHistogram> {}

export function createHistogram<const L extends readonly string[] = readonly []>(
  definition: HistogramDefinition<L>,
  limit: number,
): Histogram<L> {
  const { name, buckets } = definition;
  const bounds = Float64Array.from(buckets);
  const boundTexts = [...buckets.map(String), '+Inf'];
  return createCellInstrument({
    type: 'histogram',
    definition,
    series: new Series(definition, limit, () => new HistogramCell(bounds)),
    linesOf: ({ labels, cell }) => {
      let count = 0;
      const lines: Sample[] = boundTexts.map((le, i) => {
        count += cell.counts[i] ?? 0;
        return { name: `${name}_bucket`, labels: { le, ...labels }, value: count };
      });
      lines.push({ name: `${name}_sum`, labels, value: cell.sum }, { name: `${name}_count`, labels, value: count });
      return lines;
    },
    clear: (cell) => cell.clear(),
  });
}

class HistogramCell implements BoundHistogram {
  sum = 0;
  /** How many values fell into each bucket alone; the last is the one of infinity. */
  readonly counts: Float64Array;
  readonly #bounds: Float64Array;

  constructor(bounds: Float64Array) {
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    if (!Number.isFinite(value)) return;
    let low = 0;
    let high = this.#bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#bounds[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    this.counts[low] = (this.counts[low] ?? 0) + 1;
    this.sum += value;
  }

  clear(): void {
    this.sum = 0;
    this.counts.fill(0);
  }
}
