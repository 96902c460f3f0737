/**
 * Metrics of several processes as one: counters summed, histograms bucket by bucket, gauges as each declares.
 *
 * A metric has at most `seriesPerMetric` series here too; what comes later is added to the series that has `other` in place of its labels, so sums stay right.
 */
import { combine } from '../definition.ts';
import type { Instrument, Sample } from '../instruments/instrument.ts';
import { overflowValue } from '../instruments/series.ts';
import type { MetricSnapshot } from './snapshot.ts';

export class Merged {
  /** Metrics that two processes have with other types or buckets: the first counts. */
  conflicts = 0;
  readonly #metrics: Map<string, MergedMetric> = new Map();
  readonly #limit: number;

  constructor(seriesPerMetric: number) {
    this.#limit = seriesPerMetric;
  }

  /** @param ended whether the process is gone: of what it had now nothing is left, of what it did everything. */
  add(snapshots: readonly MetricSnapshot[], ended: boolean = false): void {
    for (const snapshot of snapshots) {
      if (ended && snapshot.type === 'gauge') continue;
      let metric = this.#metrics.get(snapshot.name);
      if (metric === undefined) this.#metrics.set(snapshot.name, (metric = new MergedMetric(snapshot, this.#limit)));
      if (metric.fits(snapshot)) metric.add(snapshot.samples);
      else this.conflicts++;
    }
  }

  snapshots(): readonly MetricSnapshot[] {
    return [...this.#metrics.values()].map((metric) => metric.snapshot());
  }
}

/** Metrics that stand as they are. */
export function instrumentsFrom(snapshots: readonly MetricSnapshot[]): readonly Instrument[] {
  return snapshots.map((snapshot) => {
    const { type, samples, name, help, unit } = snapshot;
    const lines = linesPerSeries(snapshot);
    return {
      type,
      definition: { name, help, ...(unit !== undefined && { unit }) },
      samples: (from = 0, to) => samples.slice(from * lines, to === undefined ? undefined : to * lines),
      reset: () => {},
      size: samples.length / lines,
      overflowed: 0,
    };
  });
}

/** The buckets of a histogram with that of infinity, its sum and its count. */
function linesPerSeries({ type, buckets }: Pick<MetricSnapshot, 'type' | 'buckets'>): number {
  return type === 'histogram' ? (buckets === '' ? 0 : buckets.split(',').length) + 3 : 1;
}

/** A line of several processes. */
interface Line {
  readonly sample: Sample;
  value: number;
  count: number;
}

class MergedMetric {
  readonly #head: Omit<MetricSnapshot, 'samples'>;
  readonly #lines: Map<string, Line> = new Map();
  readonly #limit: number;

  constructor({ samples: _, ...head }: MetricSnapshot, seriesPerMetric: number) {
    this.#head = head;
    this.#limit = seriesPerMetric * linesPerSeries(head);
  }

  fits({ type, buckets }: MetricSnapshot): boolean {
    return type === this.#head.type && buckets === this.#head.buckets;
  }

  add(samples: readonly Sample[]): void {
    for (const sample of samples) {
      const line = this.#line(sample);
      line.value = line.count === 0 ? sample.value : combine[this.#head.aggregate](line.value, sample.value);
      line.count++;
    }
  }

  snapshot(): MetricSnapshot {
    const mean = this.#head.aggregate === 'mean';
    const samples = [...this.#lines.values()].map(({ sample, value, count }) => {
      return { ...sample, value: mean ? value / count : value };
    });
    return { ...this.#head, samples };
  }

  #line(sample: Sample): Line {
    const key = keyOf(sample);
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    // Lines of a histogram's series come together, so a series is let in or folded as a whole.
    const folded = this.#lines.size < this.#limit ? sample : { ...sample, labels: foldedLabels(sample) };
    const foldedKey = folded === sample ? key : keyOf(folded);
    let line = this.#lines.get(foldedKey);
    if (line === undefined) this.#lines.set(foldedKey, (line = { sample: folded, value: 0, count: 0 }));
    return line;
  }
}

function keyOf({ name, labels }: Sample): string {
  return JSON.stringify([name, labels]);
}

function foldedLabels({ labels }: Sample): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).map(([label, value]) => [label, label === 'le' ? value : overflowValue]),
  );
}
