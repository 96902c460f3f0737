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
    ...sourceMetrics.map(([row, from, only]) => pulled(row, readFrom(from, only))),
    pulled(pulledMetrics.sources, readOthers),
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

/**
 * Sources that have a metric of their own. The values of its labels are the parts of a counter's name, split at `|`; or, of the counter that is named here,
 * what follows in the name of its source.
 */
const sourceMetrics: readonly (readonly [
  row: MetricDefinition & { readonly type: 'counter' | 'gauge' },
  from: string,
  only?: string,
])[] = [
  [pulledMetrics.healthProbeUp, 'health.probes'],
  [pulledMetrics.limiterDecisions, 'limiter.decisions'],
  [pulledMetrics.limiterNearLimit, 'limiter.near_limit'],
  [pulledMetrics.limiterUnits, 'limiter.units'],
  [pulledMetrics.limiterLeases, 'limiter.leases'],
  [pulledMetrics.limiterStoreErrors, 'limiter.guard.', 'failed'],
  [pulledMetrics.limiterStoreAway, 'limiter.guard.', 'away'],
  [pulledMetrics.limiterKeys, 'limiter.memory', 'keys'],
  [pulledMetrics.limiterEvictions, 'limiter.memory', 'reclaimed'],
  [pulledMetrics.limiterQueueDepth, 'limiter.queue', 'waiting'],
];

function readFrom(from: string, only: string | undefined): (add: Add<readonly string[]>) => void {
  return (add) => {
    readSources((value, source, name) => {
      if (only === undefined) add(value, ...name.split('|'));
      else if (name === only) add(value, ...(source === from ? [] : [source.slice(from.length)]));
    }, from);
  };
}

/** What has no metric of its own as a whole. */
function readOthers(add: Add<readonly ['source', 'name']>): void {
  readSources((value, source, name) => {
    if (!sourceMetrics.some(([, from, only]) => from === source && only === undefined)) add(value, source, name);
  });
}

/** @param from how the names of the sources begin that are read. */
function readSources(add: (value: number, source: string, name: string) => void, from = ''): void {
  for (const source of sources()) {
    if (!source.name.startsWith(from)) continue;
    try {
      for (const [name, value] of Object.entries(source.read())) add(value, source.name, name);
    } catch {
      // One broken source must not cost the scrape of all the others; it is seen by its absence.
    }
  }
}
