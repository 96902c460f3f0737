/** Metrics that need no code of their own: the row says which operation or event, which labels, and a duration or a count. */
import type { OperationRecord, Outcome } from '@sage-adk/core';
import { type BoundCounter, type Counter, createCounter } from '../instruments/counter.ts';
import { type BoundHistogram, createHistogram, type Histogram } from '../instruments/histogram.ts';
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
  readonly instrument: Counter | Histogram;
}

/** What counts in the series of one combination of labels: a counter the operation, a histogram its duration. */
interface Cells {
  readonly counters: readonly BoundCounter[];
  readonly histograms: readonly BoundHistogram[];
}

export function createDerived(limit: number): Derived {
  const parts: readonly Part[] = derivedMetrics.map((row) => ({
    row,
    instrument: row.type === 'histogram' ? createHistogram(row, limit) : createCounter(row, limit),
  }));
  return {
    instruments: parts.map(({ instrument }) => instrument),
    operation(name) {
      const tallyOf = (areOfFailures: boolean) =>
        createOperationTally(
          partsOf(parts, name).filter(({ row }) => row.name.endsWith('_errors_total') === areOfFailures),
          name,
        );
      const countEnd = tallyOf(false);
      const countFailure = tallyOf(true);
      return (record) => {
        countEnd(record);
        if (record.outcome === 'error' || record.outcome === 'timeout') countFailure(record);
      };
    },
    event(name) {
      const tally = createTally<Attributes>(partsOf(parts, name), (label) => (event) => event[label]);
      return (event) => tally(event, 0, false);
    },
  };
}

/** Of operations of one name. Where two began with the same object and ended alike, their labels are the same unless one is learned between. */
function createOperationTally(parts: readonly Part[], name: string): (record: OperationRecord) => void {
  const tally = createTally<OperationRecord>(parts, (label) => readerOf(label, name));
  const labels = labelsOf(parts);
  let lastStart: OperationRecord['start'] | undefined;
  let lastOutcome: Outcome | undefined;
  let isAllSaid: boolean | undefined;
  return (record) => {
    const { start, outcome, durationMs } = record;
    const isLike = start === lastStart && outcome === lastOutcome;
    if (isLike) isAllSaid ??= labels.every((label) => isSaidBy(start as Attributes, label));
    else {
      lastStart = start;
      lastOutcome = outcome;
      isAllSaid = undefined;
    }
    tally(record, durationMs, isLike && isAllSaid === true);
  };
}

/** Whether a label is known of an operation by how it began and its outcome. */
function isSaidBy(start: Attributes, label: string): boolean {
  return label === 'outcome' || label === 'operation' || (endings[label] === undefined && start[label] !== undefined);
}

/**
 * Counts operations or events of one name. Each label is read once for all their metrics, and most operations are like the one before, so its cells are kept
 * at hand. Whoever knows that one is like the last says so, and none is read.
 */
function createTally<T>(
  parts: readonly Part[],
  read: (label: string) => (source: T) => LabelValue,
): (source: T, durationMs: number, isLikeLast: boolean) => void {
  const labels = labelsOf(parts);
  const readers = labels.map(read);
  const last: LabelValue[] = labels.map(() => undefined);
  let cells: Cells | undefined;
  const readAll = (source: T): void => {
    for (let i = 0; i < readers.length; i++) {
      const value = readers[i]?.(source);
      if (value === last[i]) continue;
      last[i] = value;
      cells = undefined;
    }
  };
  return (source, durationMs, isLikeLast) => {
    if (!isLikeLast) readAll(source);
    cells ??= cellsOf(parts, (label) => last[labels.indexOf(label)]);
    for (const counter of cells.counters) counter.inc();
    for (const histogram of cells.histograms) histogram.observe(durationMs / 1_000);
  };
}

function labelsOf(parts: readonly Part[]): readonly string[] {
  return [...new Set(parts.flatMap(({ row }) => row.labels ?? []))];
}

function cellsOf(parts: readonly Part[], valueOf: (label: string) => LabelValue): Cells {
  const counters: BoundCounter[] = [];
  const histograms: BoundHistogram[] = [];
  for (const { row, instrument } of parts) {
    const cell = instrument.with(...(row.labels ?? []).map(valueOf));
    if ('inc' in cell) counters.push(cell);
    else histograms.push(cell);
  }
  return { counters, histograms };
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
