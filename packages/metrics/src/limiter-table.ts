/** Metrics of the rate limiter; those of queues stand here too, since it is what mostly waits in them. */
import type { MetricRow } from './table.ts';
import { operationSeconds, outcome } from './table-values.ts';

export const observedLimiterMetrics = {
  limiterCheckDuration: {
    name: 'sage_limiter_check_duration_seconds',
    type: 'histogram',
    help: 'Time of a decision of a shared limiter store, or of who stood in for it.',
    unit: 'seconds',
    labels: ['store', 'outcome'],
    values: { outcome },
    buckets: operationSeconds,
  },
  limiterLeasesExpired: {
    name: 'sage_limiter_leases_expired_total',
    type: 'counter',
    help: 'Reservations whose time was over before anybody settled them, as far as the process that made them lives.',
    labels: ['rule'],
  },
  limiterBudgetExhausted: {
    name: 'sage_limiter_budget_exhausted_total',
    type: 'counter',
    help: 'Calls for which a budget did not suffice, by what was done about it.',
    labels: ['rule', 'handling'],
  },
  queueWaitDuration: {
    name: 'sage_queue_wait_seconds',
    type: 'histogram',
    help: 'Time that a call waited in a queue, by how the wait ended.',
    unit: 'seconds',
    labels: ['queue', 'outcome'],
    values: { outcome },
    buckets: operationSeconds,
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export const pulledLimiterMetrics = {
  limiterDecisions: {
    name: 'sage_limiter_decisions_total',
    type: 'counter',
    help: 'What each rule said to the calls it was asked about, and who answered.',
    labels: ['rule', 'outcome', 'mode', 'source'],
    values: { outcome: ['allowed', 'denied'], mode: ['enforce', 'shadow'] },
  },
  limiterNearLimit: {
    name: 'sage_limiter_near_limit_total',
    type: 'counter',
    help: 'Calls that a rule allowed with at most a fifth left.',
    labels: ['rule'],
  },
  limiterUnits: {
    name: 'sage_limiter_units_total',
    type: 'counter',
    help: 'Units of reservations, of the unit cost in US dollars: reserved, settled as used, refunded, and used beyond the limit.',
    labels: ['rule', 'unit', 'kind'],
    values: { kind: ['reserved', 'settled', 'refunded', 'debt'] },
  },
  limiterLeases: {
    name: 'sage_limiter_leases',
    type: 'gauge',
    help: 'Reservations that this process holds now.',
    labels: ['rule'],
  },
  limiterStoreErrors: {
    name: 'sage_limiter_store_errors_total',
    type: 'counter',
    help: 'Calls of a guarded store that failed or came too late.',
    labels: ['store'],
  },
  limiterStoreAway: {
    name: 'sage_limiter_store_away',
    type: 'gauge',
    help: 'Guards that hold their store for away, so that each rule goes by its policy.',
    labels: ['store'],
  },
  limiterKeys: {
    name: 'sage_limiter_keys',
    type: 'gauge',
    help: 'Keys that limiters remember in this process.',
  },
  limiterEvictions: {
    name: 'sage_limiter_evictions_total',
    type: 'counter',
    help: 'Idle keys of this process that made room for new ones.',
  },
  limiterQueueDepth: {
    name: 'sage_limiter_queue_depth',
    type: 'gauge',
    help: 'Calls that wait before a limiter now.',
  },
} as const satisfies Readonly<Record<string, MetricRow>>;
