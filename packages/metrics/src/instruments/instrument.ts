import type { MetricDefinition, MetricType } from '../definition.ts';
import type { Entry, Series } from './series.ts';

/** One line of the exposition. */
export interface Sample {
  /** Set where it is not the metric's own name: the parts of a histogram. */
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric that can be read; what any exposition needs to know. */
export interface Instrument {
  readonly type: MetricType;
  readonly definition: MetricDefinition;
  /** Its lines now, or those of the series from one index to another. */
  samples(from?: number, to?: number): readonly Sample[];
  /** Sets all numbers to zero. Bound cells stay bound. */
  reset(): void;
  /** Series that it has now. */
  readonly size: number;
  /** Look-ups that ended at `other`, because the metric had all the series it may have. */
  readonly overflowed: number;
}

/** What a label may be given; it is written as text, undefined as the empty text. */
export type LabelValue = string | number | boolean | undefined;

/** One value for each label, in the order of the definition. */
export type LabelValues<L extends readonly string[]> = { readonly [K in keyof L]: LabelValue };

/** An instrument whose series have cells. */
export interface CellInstrument<L extends readonly string[], C> extends Instrument {
  /** The series of these values. Keep it where the values are known beforehand: then a count costs no look-up. */
  with(...values: LabelValues<L>): C;
}

export interface CellInstrumentParts<C> {
  readonly type: MetricType;
  readonly definition: MetricDefinition;
  readonly series: Series<C>;
  readonly linesOf: (entry: Entry<C>) => readonly Sample[];
  readonly clear: (cell: C) => void;
}

export function createCellInstrument<L extends readonly string[], C>({
  type,
  definition,
  series,
  linesOf,
  clear,
}: CellInstrumentParts<C>): CellInstrument<L, C> {
  return {
    type,
    definition,
    with: (...values) => series.at(values),
    samples: (from, to) => series.entries.slice(from, to).flatMap(linesOf),
    reset: () => series.entries.forEach(({ cell }) => clear(cell)),
    get size() {
      return series.entries.length;
    },
    get overflowed() {
      return series.overflowed;
    },
  };
}
