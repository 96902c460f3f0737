/** Metrics of the process, of what it runs, and of these metrics themselves. */
import { delaySeconds, fastSeconds } from './buckets.ts';
import { counter, gauge, histogram } from './row.ts';

/** Fed as the process goes. */
export const sampledMetrics = {
  eventLoopDelay: histogram(
    'sage_runtime_eventloop_delay_seconds',
    'How much later than asked a timer ran; one sample about every 20 ms.',
    'process',
    delaySeconds,
  ),
  gcDuration: histogram(
    'sage_runtime_gc_duration_seconds',
    'Pauses of the garbage collector.',
    'process',
    fastSeconds,
    ['kind'],
    {
      values: { kind: ['minor', 'major', 'incremental', 'weak_callbacks'] },
    },
  ),
};

/** Read at scrape. */
export const processMetrics = {
  eventLoopTime: counter(
    'sage_runtime_eventloop_seconds_total',
    'Time that the event loop was active or idle; the rate of active is its utilisation.',
    'process',
    ['state'],
    { values: { state: ['active', 'idle'] } },
  ),
  cpu: counter(
    'sage_runtime_cpu_seconds_total',
    'Time that the processor worked for this process.',
    'process',
    ['mode'],
    {
      values: { mode: ['user', 'system'] },
    },
  ),
  heapUsed: gauge('sage_runtime_heap_used_bytes', 'Memory that JavaScript objects use.', 'process'),
  heapLimit: gauge('sage_runtime_heap_limit_bytes', 'Heap at which the process runs out of memory.', 'process'),
  external: gauge(
    'sage_runtime_external_bytes',
    'Memory outside of the heap that JavaScript objects hold, array buffers included.',
    'process',
  ),
  rss: gauge('sage_runtime_rss_bytes', 'Memory of the process that is in RAM.', 'process'),
  activeResources: gauge(
    'sage_runtime_active_resources',
    'Sockets, timers and requests that keep the process alive.',
    'process',
    ['type'],
  ),
  startTime: gauge(
    'sage_runtime_start_time_seconds',
    'When the process started, in seconds since the Unix epoch.',
    'process',
    [],
    { aggregate: 'min' },
  ),
};

/** Read at scrape, whether the process is measured or not. */
export const ownMetrics = {
  build: gauge(
    'sage_build_info',
    'Always 1; the labels say what is running.',
    'options',
    ['agent', 'version', 'node'],
    { aggregate: 'max' },
  ),
  sources: gauge(
    'sage_source',
    'Totals and levels that hot paths keep themselves. Sources of one name are summed.',
    'every source without a metric of its own',
    ['source', 'name'],
  ),
  observerFailures: counter(
    'sage_observer_failures_total',
    'Errors that observers threw. They changed nothing but this count.',
    'operations',
  ),
  series: gauge('sage_metrics_series', 'Series that a metric has.', 'metrics', ['metric'], { aggregate: 'max' }),
  overflow: counter(
    'sage_metrics_overflow_total',
    'Look-ups that ended at the label value other, because the metric had all its series.',
    'metrics',
    ['metric'],
  ),
};
