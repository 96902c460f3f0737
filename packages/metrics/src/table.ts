/**
 * Every metric of this package. `observedMetrics` are fed by operations and events of core, `pulledMetrics` are read when somebody scrapes.
 *
 * Labels come from the catalogue of core (`protocol`, `method`, `provider`, ...) and from how an operation ended: outcome, category, code.
 */
import type { HistogramDefinition, MetricDefinition } from './definition.ts';
import { observedLimiterMetrics, pulledLimiterMetrics } from './limiter-table.ts';
import { operationSeconds, outcome } from './table-values.ts';

/** A row of the table. */
export type MetricRow =
  | (MetricDefinition & { readonly type: 'counter' | 'gauge' })
  | (HistogramDefinition & { readonly type: 'histogram' });

const category = ['transient', 'permanent', 'critical', 'unknown'] as const;
const protocol = ['a2a', 'sage', 'mcp', 'http'] as const;
const stream = ['true', 'false'] as const;

/** A model's answer, from 10 ms to more than five minutes. The first fourteen are those of OpenTelemetry's GenAI conventions. */
const modelSeconds = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68,
] as const;
/** One token after another. */
const tokenSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5] as const;
/** Work within the process. */
const fastSeconds = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
] as const;
const delaySeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;

export const observedMetrics = {
  agentState: {
    name: 'sage_agent_state',
    type: 'gauge',
    help: '1 for the state that the agent is in, 0 for those it was in.',
    labels: ['state'],
  },
  healthCheckUp: {
    name: 'sage_health_check_up',
    type: 'gauge',
    help: 'Last run of a health check: 1 for pass and warn, 0 for fail.',
    labels: ['check'],
  },
  agentRequests: {
    name: 'sage_agent_requests_total',
    type: 'counter',
    help: 'Requests to the agent that ended.',
    labels: ['protocol', 'method', 'stream', 'outcome'],
    values: { protocol, stream, outcome },
  },
  agentRequestDuration: {
    name: 'sage_agent_request_duration_seconds',
    type: 'histogram',
    help: 'Time from the arrival of a request to the last byte of the answer.',
    unit: 'seconds',
    labels: ['protocol', 'method', 'outcome'],
    values: { protocol, outcome },
    buckets: modelSeconds,
  },
  agentRequestsInFlight: {
    name: 'sage_agent_requests_in_flight',
    type: 'gauge',
    help: 'Requests that the agent is answering now.',
    labels: ['protocol'],
    values: { protocol },
  },
  agentErrors: {
    name: 'sage_agent_errors_total',
    type: 'counter',
    help: 'Requests that ended in an error or a timeout.',
    labels: ['protocol', 'category', 'code'],
    values: { protocol, category },
  },
  llmCalls: {
    name: 'sage_llm_calls_total',
    type: 'counter',
    help: 'Logical calls of a model that ended, each with all its tries.',
    labels: ['provider', 'model', 'api', 'stream', 'outcome'],
    values: { stream, outcome },
  },
  llmCallDuration: {
    name: 'sage_llm_call_duration_seconds',
    type: 'histogram',
    help: 'Time of a call of a model, to the end of its stream.',
    unit: 'seconds',
    labels: ['provider', 'model', 'outcome'],
    values: { outcome },
    buckets: modelSeconds,
  },
  llmFirstToken: {
    name: 'sage_llm_first_token_seconds',
    type: 'histogram',
    help: 'Time from the start of a call of a model to its first visible token.',
    unit: 'seconds',
    labels: ['provider', 'model'],
    buckets: modelSeconds,
  },
  llmOutputToken: {
    name: 'sage_llm_output_token_seconds',
    type: 'histogram',
    help: 'Mean time between output tokens of one streamed call, after the first.',
    unit: 'seconds',
    labels: ['provider', 'model'],
    buckets: tokenSeconds,
  },
  llmErrors: {
    name: 'sage_llm_errors_total',
    type: 'counter',
    help: 'Calls of a model that ended in an error or a timeout.',
    labels: ['provider', 'category', 'code'],
    values: { category },
  },
  llmTokens: {
    name: 'sage_llm_tokens_total',
    type: 'counter',
    help: 'Tokens of model calls: input is the prompt, output the completion, their sum the total.',
    unit: 'tokens',
    labels: ['provider', 'model', 'type'],
    values: { type: ['input', 'output'] },
  },
  llmTokenParts: {
    name: 'sage_llm_token_parts_total',
    type: 'counter',
    help: 'Subsets of sage_llm_tokens_total: cached_input and cache_write of the input, reasoning of the output.',
    unit: 'tokens',
    labels: ['provider', 'model', 'part'],
    values: { part: ['cached_input', 'cache_write', 'reasoning'] },
  },
  llmCost: {
    name: 'sage_llm_cost_usd_total',
    type: 'counter',
    help: 'Cost of the model calls whose price is known, in US dollars.',
    unit: 'usd',
    partsPerUnit: 1e9,
    labels: ['provider', 'model'],
  },
  llmCostUnknown: {
    name: 'sage_llm_cost_unknown_total',
    type: 'counter',
    help: 'Calls that a model answered, at least in part, and whose cost is not known.',
    labels: ['provider', 'model'],
  },
  middlewareDuration: {
    name: 'sage_middleware_duration_seconds',
    type: 'histogram',
    help: 'Time that a middleware itself took before and after the rest.',
    unit: 'seconds',
    labels: ['middleware', 'phase'],
    values: { phase: ['before', 'after'] },
    buckets: fastSeconds,
  },
  ...observedLimiterMetrics,
  operationDuration: {
    name: 'sage_operation_duration_seconds',
    type: 'histogram',
    help: 'Time of every other operation, by how it ended.',
    unit: 'seconds',
    labels: ['operation', 'outcome'],
    values: { outcome },
    buckets: operationSeconds,
  },
  events: {
    name: 'sage_events_total',
    type: 'counter',
    help: 'Events that happened.',
    labels: ['event'],
  },
  eventLoopDelay: {
    name: 'sage_runtime_eventloop_delay_seconds',
    type: 'histogram',
    help: 'How much later than asked a timer ran; one sample about every 20 ms.',
    unit: 'seconds',
    buckets: delaySeconds,
  },
  gcDuration: {
    name: 'sage_runtime_gc_duration_seconds',
    type: 'histogram',
    help: 'Pauses of the garbage collector.',
    unit: 'seconds',
    labels: ['kind'],
    values: { kind: ['minor', 'major', 'incremental', 'weak_callbacks'] },
    buckets: fastSeconds,
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export const pulledMetrics = {
  eventLoopTime: {
    name: 'sage_runtime_eventloop_seconds_total',
    type: 'counter',
    help: 'Time that the event loop was active or idle; the rate of active is its utilisation.',
    unit: 'seconds',
    labels: ['state'],
    values: { state: ['active', 'idle'] },
  },
  cpu: {
    name: 'sage_runtime_cpu_seconds_total',
    type: 'counter',
    help: 'Time that the processor worked for this process.',
    unit: 'seconds',
    labels: ['mode'],
    values: { mode: ['user', 'system'] },
  },
  heapUsed: {
    name: 'sage_runtime_heap_used_bytes',
    type: 'gauge',
    help: 'Memory that JavaScript objects use.',
    unit: 'bytes',
  },
  heapLimit: {
    name: 'sage_runtime_heap_limit_bytes',
    type: 'gauge',
    help: 'Heap at which the process runs out of memory.',
    unit: 'bytes',
  },
  external: {
    name: 'sage_runtime_external_bytes',
    type: 'gauge',
    help: 'Memory outside of the heap that JavaScript objects hold, array buffers included.',
    unit: 'bytes',
  },
  rss: {
    name: 'sage_runtime_rss_bytes',
    type: 'gauge',
    help: 'Memory of the process that is in RAM.',
    unit: 'bytes',
  },
  activeResources: {
    name: 'sage_runtime_active_resources',
    type: 'gauge',
    help: 'Sockets, timers and requests that keep the process alive.',
    labels: ['type'],
  },
  startTime: {
    name: 'sage_runtime_start_time_seconds',
    type: 'gauge',
    help: 'When the process started, in seconds since the Unix epoch.',
    unit: 'seconds',
  },
  build: {
    name: 'sage_build_info',
    type: 'gauge',
    help: 'Always 1; the labels say what is running.',
    labels: ['agent', 'version', 'node'],
  },
  healthProbeUp: {
    name: 'sage_health_probe_up',
    type: 'gauge',
    help: '1 for a health probe that answers pass or warn, 0 for fail.',
    labels: ['probe'],
  },
  ...pulledLimiterMetrics,
  sources: {
    name: 'sage_source',
    type: 'gauge',
    help: 'Totals and levels that hot paths keep themselves. Sources of one name are summed.',
    labels: ['source', 'name'],
  },
  observerFailures: {
    name: 'sage_observer_failures_total',
    type: 'counter',
    help: 'Errors that observers threw. They changed nothing but this count.',
  },
  series: {
    name: 'sage_metrics_series',
    type: 'gauge',
    help: 'Series that a metric has.',
    labels: ['metric'],
  },
  overflow: {
    name: 'sage_metrics_overflow_total',
    type: 'counter',
    help: 'Look-ups that ended at the label value other, because the metric had all its series.',
    labels: ['metric'],
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

/** All rows, for reference pages and checks. */
export const metricRows: readonly MetricRow[] = [...Object.values(observedMetrics), ...Object.values(pulledMetrics)];
