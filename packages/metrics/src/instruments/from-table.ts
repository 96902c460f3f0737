import type { MetricRow } from '../table/row.ts';
import { type Counter, createCounter } from './counter.ts';
import { createGauge, type Gauge } from './gauge.ts';
import { createHistogram, type Histogram } from './histogram.ts';
import type { Instrument } from './instrument.ts';

type LabelsOf<R> = R extends { readonly labels: infer L extends readonly string[] } ? L : readonly [];

/** The instrument that a row describes. */
export type InstrumentOf<R> = R extends { readonly type: 'counter' }
  ? Counter<LabelsOf<R>>
  : R extends { readonly type: 'gauge' }
    ? Gauge<LabelsOf<R>>
    : Histogram<LabelsOf<R>>;

export type Instruments<T> = { readonly [K in keyof T]: InstrumentOf<T[K]> };

/** One instrument for each row, each with at most `limit` series. */
export function createInstruments<const T extends Readonly<Record<string, MetricRow>>>(
  table: T,
  limit: number,
): Instruments<T> {
  const made = Object.entries(table).map(([key, row]): [string, Instrument] => [key, create(row, limit)]);
  return Object.fromEntries(made) as unknown as Instruments<T>;
}

function create(row: MetricRow, limit: number): Instrument {
  if (row.type === 'histogram') return createHistogram(row, limit);
  return row.type === 'counter' ? createCounter(row, limit) : createGauge(row, limit);
}
