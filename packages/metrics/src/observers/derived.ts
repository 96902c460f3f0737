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
  /** What counts in the series of these values. */
  readonly cellOf: (values: readonly LabelValue[]) => Count;
}

type Count = (durationMs: number) => void;

export function createDerived(limit: number): Derived {
  const parts = derivedMetrics.map((row) => createPart(row, limit));
  return {
    instruments: parts.map(({ instrument }) => instrument),
    operation(name) {
      const counts = partsOf(parts, name).map((part) => counterOf(part, name));
      return (record) => {
        for (const count of counts) count(record);
      };
    },
    event(name) {
      const own = partsOf(parts, name);
      return (event) => {
        for (const { row, cellOf } of own) cellOf((row.labels ?? []).map((label) => event[label]))(0);
      };
    },
  };
}

/** Counts the operations of one name. Most are like the one before, so its series is kept at hand. */
function counterOf({ row, cellOf }: Part, name: string): (record: OperationRecord) => void {
  const readers = (row.labels ?? []).map((label) => readerOf(label, name));
  const countsFailures = row.name.endsWith('_errors_total');
  const last: LabelValue[] = readers.map(() => undefined);
  let count: Count | undefined;
  return (record) => {
    if (countsFailures && record.outcome !== 'error' && record.outcome !== 'timeout') return;
    for (let i = 0; i < readers.length; i++) {
      const value = readers[i]?.(record);
      if (value === last[i]) continue;
      last[i] = value;
      count = undefined;
    }
    count ??= cellOf([...last]);
    count(record.durationMs);
  };
}

function createPart(row: MetricRow, limit: number): Part {
  if (row.type === 'histogram') {
    const instrument = createHistogram(row, limit);
    const cellOf: Part['cellOf'] = (values) => {
      const cell = instrument.with(...values);
      return (durationMs) => cell.observe(durationMs / 1_000);
    };
    return { row, instrument, cellOf };
  }
  const instrument = createCounter(row, limit);
  const cellOf: Part['cellOf'] = (values) => {
    const cell = instrument.with(...values);
    return () => cell.inc();
  };
  return { row, instrument, cellOf };
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
};

function readerOf(label: string, name: string): Reader {
  if (label === 'operation') {
    const text = name.slice(name.indexOf('.') + 1);
    return () => text;
  }
  return (
    endings[label] ??
    // What an operation says is text, numbers and truth values, in the types of the catalogue.
    (({ start, attributes }) => (start as Attributes)[label] ?? (attributes as Attributes)[label])
  );
}
