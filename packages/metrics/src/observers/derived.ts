/** Metrics that need no code of their own: the row says which operation or event, which labels, and a duration or a count. */
import type { OperationRecord } from '@sage-adk/core';
import { type BoundCounter, type Counter, createCounter } from '../instruments/counter.ts';
import { type BoundHistogram, createHistogram, type Histogram } from '../instruments/histogram.ts';
import type { Instrument, LabelValue } from '../instruments/instrument.ts';
import { derivedMetrics } from '../table/derived.ts';
import type { MetricRow } from '../table/row.ts';

/** Counts what has this name, if anything is to be counted. */
export interface Derived {
  readonly instruments: readonly Instrument[];
  readonly operation: (name: string) => CountOperation;
  readonly event: (name: string) => (event: Attributes) => void;
}

/** @param isLikeLast whether it has the labels of the one before, apart from those of a failure. Where that is known, none is read. @default false */
export type CountOperation = (record: OperationRecord, isLikeLast?: boolean) => void;

type Attributes = Readonly<Record<string, LabelValue>>;

/** One metric of them. */
interface Part {
  readonly row: MetricRow;
  readonly instrument: Counter | Histogram;
}

/** What counts in one series: a counter the operation, a histogram its duration. */
type Cell = BoundCounter | BoundHistogram;

export function createDerived(limit: number): Derived {
  const parts: readonly Part[] = derivedMetrics.map((row) => ({
    row,
    instrument: row.type === 'histogram' ? createHistogram(row, limit) : createCounter(row, limit),
  }));
  return {
    instruments: parts.map(({ instrument }) => instrument),
    operation(name) {
      const tallyOf = (areOfFailures: boolean) =>
        createTally<OperationRecord>(
          partsOf(parts, name).filter(({ row }) => row.name.endsWith('_errors_total') === areOfFailures),
          (label) => readerOf(label, name),
        );
      const countEnd = tallyOf(false);
      const countFailure = tallyOf(true);
      return (record, isLikeLast) => {
        countEnd(record, record.durationMs, isLikeLast);
        if (record.outcome === 'error' || record.outcome === 'timeout') countFailure(record, record.durationMs);
      };
    },
    event(name) {
      const tally = createTally<Attributes>(partsOf(parts, name), (label) => (event) => event[label]);
      return (event) => tally(event, 0);
    },
  };
}

/**
 * Counts operations or events of one name. Each label is read once for all their metrics, and most operations are like the one before, so its cells are
 * kept at hand.
 */
function createTally<T>(
  parts: readonly Part[],
  read: (label: string) => (source: T) => LabelValue,
): (source: T, durationMs: number, isLikeLast?: boolean) => void {
  const labels = [...new Set(parts.flatMap(({ row }) => row.labels ?? []))];
  const readers = labels.map(read);
  const last: LabelValue[] = [];
  let cells: readonly Cell[] | undefined;
  return (source, durationMs, isLikeLast) => {
    for (let i = isLikeLast === true ? readers.length : 0; i < readers.length; i++) {
      const value = readers[i]?.(source);
      if (value === last[i]) continue;
      last[i] = value;
      cells = undefined;
    }
    cells ??= parts.map(({ row, instrument }) =>
      instrument.with(...(row.labels ?? []).map((label) => last[labels.indexOf(label)])),
    );
    for (const cell of cells) {
      if ('inc' in cell) cell.inc();
      else cell.observe(durationMs / 1_000);
    }
  };
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
