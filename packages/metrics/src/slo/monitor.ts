/**
 * Keeps objectives in this process, for a report without a Prometheus: reads the counters every so often and keeps good and bad by the hour, for as long as the
 * longest window. It knows what this process counted since the monitor began, and the report says since when that is.
 */
import { type Clock, requireNumber, systemClock, type Timer } from '@sage-adk/core';
import { badOf, type Count, countOf, type ReadableRegistry } from './counts.ts';
import { reportOf, type SlaReport } from './report.ts';
import type { Slo } from './slo.ts';

export interface SloMonitorOptions {
  readonly slos: readonly Slo[];
  /** Where the metrics of the objectives are: `metrics.registry`. */
  readonly registry: ReadableRegistry;
  /** How often the counters are read. @default 60000 */
  readonly everyMs?: number;
  readonly clock?: Clock;
}

export interface SloMonitor extends AsyncDisposable {
  /** Reads the counters now and says how each objective stands. */
  report(): Promise<SlaReport>;
  close(): Promise<void>;
}

/** What happened in one hour. */
export interface HourCount {
  readonly hour: number;
  readonly total: number;
  readonly bad: number;
}

const hourMs = 3_600_000;

/** Starts to keep objectives. */
export function createSloMonitor({
  slos,
  registry,
  everyMs = 60_000,
  clock = systemClock,
}: SloMonitorOptions): SloMonitor {
  requireNumber('everyMs', everyMs, 1);
  const sinceMs = clock.now();
  const books = slos.map((slo) => new HourBook(slo));
  const readAll = async (): Promise<void> => {
    for (const book of books) {
      const count = await countOf(registry, book.slo.indicator);
      book.add(Math.floor(clock.now() / hourMs), count);
    }
  };
  // One after the other: an older count that came after a newer one would look like a counter that began anew.
  let reading: Promise<void> = readAll();
  reading.catch(() => {});
  const read = (): Promise<void> => (reading = reading.catch(() => {}).then(readAll));
  let timer: Timer | undefined;
  let closed = false;
  const wait = (): void => {
    if (!closed) timer = clock.setTimer(() => void read().then(wait, wait), everyMs);
  };
  wait();
  const close = async (): Promise<void> => {
    closed = true;
    timer?.cancel();
  };
  return {
    async report() {
      await read();
      return reportOf(
        books.map(({ slo, hours }) => ({ slo, hours })),
        sinceMs,
        clock.now(),
      );
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Counts by the hour, from counters that only grow; one that fell began anew. */
class HourBook {
  readonly slo: Slo;
  readonly #hours: Map<number, { hour: number; total: number; bad: number }> = new Map();
  #last: Count | undefined;

  constructor(slo: Slo) {
    this.slo = slo;
  }

  get hours(): readonly HourCount[] {
    return [...this.#hours.values()];
  }

  add(hour: number, count: Count): void {
    const before = this.#last ?? count;
    const fresh = count.total < before.total || count.part < before.part ? { total: 0, part: 0 } : before;
    this.#last = count;
    const kept = this.#hours.get(hour) ?? { hour, total: 0, bad: 0 };
    this.#hours.set(hour, kept);
    const since = { total: count.total - fresh.total, part: count.part - fresh.part };
    const bad = badOf(this.slo.indicator, since);
    kept.total += since.total;
    kept.bad += Math.max(0, bad);
    this.#forgive(Math.max(0, -bad));
    for (const old of this.#hours.keys()) if (old <= hour - this.slo.windowDays * 24) this.#hours.delete(old);
  }

  /** What is known to be good only later happened most likely in the hour last that has something bad. */
  #forgive(good: number): void {
    let left = good;
    for (const kept of [...this.#hours.values()].toReversed()) {
      const part = Math.min(left, kept.bad);
      kept.bad -= part;
      left -= part;
    }
  }
}
