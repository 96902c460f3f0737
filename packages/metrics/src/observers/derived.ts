/** Metrics that need no code of their own: the row says which operation or event, which labels, and a duration or a count. */
import type { OperationRecord } from '@sage-adk/core';
import { createCounter } from '../instruments/counter.ts';
import { createHistogram } from '../instruments/histogram.ts';
import type { Instrument, LabelValue } from '../instruments/instrument.ts';
import { derivedMetrics } from '../table/derived.ts';
import type { MetricRow } from '../table/row.ts';

/** Counts what has this name, if anything is to be counted. */
export interface Derived {
  readonly instruments: readonly Instrument[];
  readonly operation: (name: string) => (record: OperationRecord) => void;
  readonly event: (name: string) => (event: Attributes) => void;
}

type Attributes = Readonly<Record<string, LabelValue>>;

/** One metric of them. */
interface Part {
  readonly row: MetricRow;
  readonly instrument: Instrument;
  readonly count: (values: readonly LabelValue[], durationMs: number) => void;
}

export function createDerived(limit: number): Derived {
  const parts = derivedMetrics.map((row) => createPart(row, limit));
  return {
    instruments: parts.map(({ instrument }) => instrument),
    operation(name) {
      const counts = partsOf(parts, name).map(({ row, count }) => {
        const readers = (row.labels ?? []).map(readerOf);
        const failures = row.name.endsWith('_errors_total');
        return (record: OperationRecord) => {
          if (failures && record.outcome !== 'error' && record.outcome !== 'timeout') return;
          count(
            readers.map((read) => read(record)),
            record.durationMs,
          );
        };
      });
      return (record) => {
        for (const count of counts) count(record);
      };
    },
    event(name) {
      const own = partsOf(parts, name);
      return (event) => {
        for (const { row, count } of own)
          count(
            (row.labels ?? []).map((label) => event[label]),
            0,
          );
      };
    },
  };
}

function createPart(row: MetricRow, limit: number): Part {
  if (row.type === 'histogram') {
    const instrument = createHistogram(row, limit);
    return { row, instrument, count: (values, durationMs) => instrument.with(...values).observe(durationMs / 1_000) };
  }
  const instrument = createCounter(row, limit);
  return { row, instrument, count: (values) => instrument.with(...values).inc() };
}

function partsOf(parts: readonly Part[], name: string): readonly Part[] {
  const group = `${name.split('.', 1)[0]}.*`;
  return parts.filter(({ row }) => row.from.split(',').some((from) => from === name || from === group));
}

type Reader = (record: OperationRecord) => LabelValue;

const endings: Readonly<Record<string, Reader>> = {
  outcome: ({ outcome }) => outcome,
  category: ({ category = 'unknown' }) => category,
  code: ({ code = 'none' }) => code,
  operation: ({ name }) => name.slice(name.indexOf('.') + 1),
};

function readerOf(label: string): Reader {
  return (
    endings[label] ??
    // What an operation says is text, numbers and truth values, in the types of the catalogue.
    (({ start, attributes }) => (start as Attributes)[label] ?? (attributes as Attributes)[label])
  );
}
