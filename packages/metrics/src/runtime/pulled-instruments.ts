import { observerFailures, sources } from '@sage-adk/core';
import type { MetricDefinition } from '../definition.ts';
import type { Instrument } from '../instruments/instrument.ts';
import { type Add, createPulled } from '../instruments/pulled.ts';
import { pulledMetrics } from '../table.ts';
import {
  readActiveResources,
  readCpu,
  readEventLoopTime,
  readExternal,
  readHeapLimit,
  readHeapUsed,
  readRss,
  readStartTime,
} from './process-readings.ts';

/** What is running, for `sage_build_info`. */
export interface Build {
  /** @default 'unknown' */
  readonly agent?: string;
  /** @default 'unknown' */
  readonly version?: string;
}

export interface PulledOptions {
  readonly build: Build;
  /** Whether the process itself is measured. */
  readonly runtime: boolean;
  readonly limit: number;
  /** All instruments, for the metrics about metrics. */
  readonly instruments: () => Iterable<Instrument>;
}

/** The instruments that are read at scrape. */
export function createPulledInstruments({ build, runtime, limit, instruments }: PulledOptions): readonly Instrument[] {
  const pulled: Pulled = (row, read) => createPulled(row.type, row, limit, read);
  const { agent = 'unknown', version = 'unknown' } = build;
  return [
    ...(runtime ? processInstruments(pulled) : []),
    pulled(pulledMetrics.build, (add) => add(1, agent, version, process.version)),
    pulled(pulledMetrics.healthProbeUp, readProbes),
    pulled(pulledMetrics.sources, readSources),
    pulled(pulledMetrics.observerFailures, (add) => add(observerFailures())),
    pulled(pulledMetrics.series, (add) => {
      for (const { definition, size } of instruments()) add(size, definition.name);
    }),
    pulled(pulledMetrics.overflow, (add) => {
      for (const { definition, overflowed } of instruments()) if (overflowed > 0) add(overflowed, definition.name);
    }),
  ];
}

type Pulled = <const L extends readonly string[] = readonly []>(
  row: MetricDefinition<L> & { readonly type: 'counter' | 'gauge' },
  read: (add: Add<L>) => void,
) => Instrument;

function processInstruments(pulled: Pulled): readonly Instrument[] {
  return [
    pulled(pulledMetrics.eventLoopTime, readEventLoopTime),
    pulled(pulledMetrics.cpu, readCpu),
    pulled(pulledMetrics.heapUsed, readHeapUsed),
    pulled(pulledMetrics.heapLimit, readHeapLimit),
    pulled(pulledMetrics.external, readExternal),
    pulled(pulledMetrics.rss, readRss),
    pulled(pulledMetrics.activeResources, readActiveResources),
    pulled(pulledMetrics.startTime, readStartTime),
  ];
}

// The health package offers them as its source.
function readProbes(add: Add<readonly ['probe']>): void {
  readSources((value, source, name) => {
    if (source === 'health.probes') add(value, name);
  });
}

function readSources(add: Add<readonly ['source', 'name']>): void {
  for (const source of sources()) {
    try {
      for (const [name, value] of Object.entries(source.read())) add(value, source.name, name);
    } catch {
      // One broken source must not cost the scrape of all the others; it is seen by its absence.
    }
  }
}
