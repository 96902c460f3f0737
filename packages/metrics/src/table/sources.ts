/** Metrics that hot paths keep themselves behind a `source`, read at scrape. */
import { counter, gauge, type MetricRow } from './row.ts';

export const sourceMetrics: readonly (MetricRow & { readonly type: 'counter' | 'gauge' })[] = [
  gauge(
    'sage_health_probe_up',
    '1 for a health probe that answers pass or warn, 0 for fail.',
    'source health.probes *',
    ['probe'],
    { aggregate: 'min' },
  ),
  counter(
    'sage_limiter_decisions_total',
    'What each rule said to the calls it was asked about, and who answered.',
    'source limiter.decisions *',
    ['rule', 'outcome', 'mode', 'source'],
    { values: { outcome: ['allowed', 'denied'], mode: ['enforce', 'shadow'] } },
  ),
  counter(
    'sage_limiter_near_limit_total',
    'Calls that a rule allowed with at most a fifth left.',
    'source limiter.near_limit *',
    ['rule'],
  ),
  counter(
    'sage_limiter_units_total',
    'Units of reservations, of the unit cost in US dollars: reserved, settled as used, refunded, and used beyond the limit.',
    'source limiter.units *',
    ['rule', 'unit', 'kind'],
    { values: { kind: ['reserved', 'settled', 'refunded', 'debt'] } },
  ),
  gauge('sage_limiter_leases', 'Reservations that this process holds.', 'source limiter.leases *', ['rule']),
  counter(
    'sage_limiter_store_errors_total',
    'Calls of a guarded store that failed or came too late.',
    'source limiter.guard.* failed',
    ['store'],
  ),
  gauge(
    'sage_limiter_store_away',
    'Guards that hold their store for away, so that each rule goes by its policy.',
    'source limiter.guard.* away',
    ['store'],
  ),
  gauge('sage_limiter_keys', 'Keys that limiters remember in this process.', 'source limiter.memory keys'),
  counter(
    'sage_limiter_evictions_total',
    'Idle keys of this process that made room for new ones.',
    'source limiter.memory reclaimed',
  ),
  gauge('sage_limiter_queue_depth', 'Calls that wait before a limiter.', 'source limiter.queue waiting'),
  gauge(
    'sage_breaker_state',
    'Circuit breaker: 0 closed, 1 recovering, 2 open, 3 forced open.',
    'source recovery.breaker *.state',
    ['dependency'],
    { aggregate: 'max' },
  ),
  counter(
    'sage_breaker_rejections_total',
    'Calls that a circuit breaker refused.',
    'source recovery.breaker *.rejected',
    ['dependency'],
  ),
  counter('sage_retry_budget_refused_total', 'Retries that a budget refused.', 'source recovery.budget *.refused', [
    'dependency',
  ]),
  gauge(
    'sage_bulkhead_in_flight',
    'Calls that hold a place of a bulkhead or worker pool.',
    'source recovery.bulkhead *.active,source pool.* running',
    ['bulkhead'],
  ),
  gauge(
    'sage_bulkhead_queue_depth',
    'Calls that wait for a place of a bulkhead or worker pool.',
    'source recovery.bulkhead *.waiting,source pool.* waiting',
    ['bulkhead'],
  ),
  counter(
    'sage_bulkhead_rejections_total',
    'Calls that a full bulkhead or worker pool refused.',
    'source recovery.bulkhead *.rejected,source pool.* refused',
    ['bulkhead'],
  ),
  gauge('sage_dlq_letters', 'Dead letters.', 'source dlq.letters *', ['queue', 'state'], {
    aggregate: 'max',
  }),
  gauge('sage_dlq_oldest_age_seconds', 'Age of the oldest dead letter.', 'source dlq.oldest *', ['queue'], {
    aggregate: 'max',
  }),
  gauge('sage_pool_connections', 'Connections of a pool.', 'source connections.pools *', ['pool', 'state'], {
    values: { state: ['active', 'idle'] },
  }),
  gauge('sage_pool_waiting', 'Calls that wait for a connection of a pool.', 'source connections.waiting *', ['pool']),
  gauge('sage_pool_max_connections', 'Connections that a pool may have.', 'source connections.max *', ['pool']),
];
