import { type Clock, observe, requireWhole, type Subscription, systemClock } from '@sage-adk/core';
import { Registry } from 'prom-client';
import { type HistogramDefinition, type MetricDefinition, requireBuckets, requireDefinition } from './definition.ts';
import { errors } from './errors.ts';
import { createExposition, type Exposition } from './exposition/exposition.ts';
import { type PromRegistry, Shelf } from './exposition/prom-registry.ts';
import { type Counter, createCounter } from './instruments/counter.ts';
import { createInstruments } from './instruments/from-table.ts';
import { createGauge, type Gauge } from './instruments/gauge.ts';
import { createHistogram, type Histogram } from './instruments/histogram.ts';
import type { Instrument } from './instruments/instrument.ts';
import { createDerived } from './observers/derived.ts';
import { createObserver } from './observers/observer.ts';
import { sampleEventLoopDelay } from './runtime/event-loop-delay.ts';
import { observeGcPauses } from './runtime/gc-pauses.ts';
import { type Build, createPulledInstruments } from './runtime/pulled-instruments.ts';
import { observedMetrics } from './table/observed.ts';
import { sampledMetrics } from './table/process.ts';

export interface MetricsOptions {
  /** Where the metrics stand, beside those of your own. @default a new prom-client Registry */
  readonly registry?: PromRegistry;
  /** Most series that one metric may have; what comes later is counted under `other`. @default 1000 */
  readonly seriesPerMetric?: number;
  /** Labels of `sage_build_info`. */
  readonly build?: Build;
  /** Whether the process is measured: event loop, garbage collector, memory. @default true */
  readonly runtime?: boolean;
  readonly clock?: Clock;
}

/** Metrics of every operation and event of the process, from its creation until it is closed. */
export interface Metrics extends Exposition, AsyncDisposable {
  readonly registry: PromRegistry;
  readonly subscription: Subscription;
  /** All of its metrics, for an exposition of your own. */
  readonly instruments: readonly Instrument[];
  /** Adds a metric of your own. Throws where the name is taken or breaks Prometheus's rules. */
  counter<const L extends readonly string[] = readonly []>(definition: MetricDefinition<L>): Counter<L>;
  gauge<const L extends readonly string[] = readonly []>(definition: MetricDefinition<L>): Gauge<L>;
  histogram<const L extends readonly string[] = readonly []>(definition: HistogramDefinition<L>): Histogram<L>;
  /** Stops watching, ends its listeners and takes its metrics out of the registry. */
  close(): Promise<void>;
}

/**
 * Starts to count operations and events, and offers them to Prometheus.
 *
 * @example
 * ```ts
 * const metrics = createMetrics();
 * await metrics.listen({ port: 9464 });
 * ```
 */
export function createMetrics({
  registry = new Registry(),
  seriesPerMetric: limit = 1_000,
  build = {},
  runtime = true,
  clock = systemClock,
}: MetricsOptions = {}): Metrics {
  requireWhole('seriesPerMetric', limit, 1);
  const shelf = new Shelf(registry);
  const { subscription, running } = startCounting(shelf, { limit, build, runtime, clock });
  const exposition = createExposition(registry);
  let closing: Promise<void> | undefined;
  const add = <I extends Instrument>(instrument: I): I => {
    if (closing !== undefined) throw errors.CLOSED();
    requireDefinition(instrument.definition, instrument.type);
    shelf.add(instrument);
    return instrument;
  };
  const close = async (): Promise<void> => {
    await exposition.close();
    for (const resource of running) resource[Symbol.dispose]();
    shelf.clear();
  };
  return {
    registry,
    subscription,
    instruments: shelf.instruments,
    counter: (definition) => add(createCounter(definition, limit)),
    gauge: (definition) => add(createGauge(definition, limit)),
    histogram: (definition) => {
      requireBuckets(definition.buckets);
      return add(createHistogram(definition, limit));
    },
    handler: (options) => exposition.handler(options),
    listen: (options) => exposition.listen(options),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}

interface Counting {
  readonly subscription: Subscription;
  /** What ends when counting ends. */
  readonly running: readonly Disposable[];
}

/** Puts all metrics of the table on the shelf and feeds them. */
function startCounting(
  shelf: Shelf,
  { limit, build, runtime, clock }: Required<Omit<MetricsOptions, 'registry' | 'seriesPerMetric'>> & { limit: number },
): Counting {
  const observed = createInstruments(observedMetrics, limit);
  const derived = createDerived(limit);
  const { eventLoopDelay, gcDuration } = createInstruments(sampledMetrics, limit);
  shelf.add(
    ...Object.values<Instrument>(observed),
    ...derived.instruments,
    ...(runtime ? [eventLoopDelay, gcDuration] : []),
    ...createPulledInstruments({ build, runtime, limit, instruments: () => shelf.instruments }),
  );
  const subscription = observe(createObserver(observed, derived));
  const sampling = runtime ? [sampleEventLoopDelay(eventLoopDelay.with(), clock), observeGcPauses(gcDuration)] : [];
  return { subscription, running: [subscription, ...sampling] };
}
