import { observerFailures } from '@sage-adk/core';
import type { MetricDefinition } from '../definition.ts';
import type { Instrument } from '../instruments/instrument.ts';
import { type Add, createPulled } from '../instruments/pulled.ts';
import { ownMetrics, processMetrics } from '../table/process.ts';
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
import { createSourceInstruments, readOtherSources } from './source-readings.ts';

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
    pulled(ownMetrics.build, (add) => add(1, agent, version, process.version)),
    ...createSourceInstruments(limit),
    pulled(ownMetrics.sources, readOtherSources),
    pulled(ownMetrics.observerFailures, (add) => add(observerFailures())),
    pulled(ownMetrics.series, (add) => {
      for (const { definition, size } of instruments()) add(size, definition.name);
    }),
    pulled(ownMetrics.overflow, (add) => {
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
    pulled(processMetrics.eventLoopTime, readEventLoopTime),
    pulled(processMetrics.cpu, readCpu),
    pulled(processMetrics.heapUsed, readHeapUsed),
    pulled(processMetrics.heapLimit, readHeapLimit),
    pulled(processMetrics.external, readExternal),
    pulled(processMetrics.rss, readRss),
    pulled(processMetrics.activeResources, readActiveResources),
    pulled(processMetrics.startTime, readStartTime),
  ];
}
