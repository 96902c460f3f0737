import { type Alert, happened } from '../alert.ts';

/** Limits, budgets and queues. */
export const limitAlerts: readonly Alert[] = [
  {
    name: 'SageBudgetExhausted',
    severity: 'page',
    expr: `sum by (rule) ${happened('sage_limiter_budget_exhausted_total', '15m')}`,
    for: '0m',
    summary: 'The budget {{ $labels.rule }} is used up.',
    description: 'Calls of models are refused, or go beyond the budget, until its period is over.',
    runbook: {
      means:
        'The limit of money does its work: nothing more is spent, and users get answers with 429 or of a fallback.',
      look: [
        'Dashboard "SAGE limits", "Budgets exhausted": which rule, and what is done about it.',
        '[SageCostRises](#sagecostrises): whether it is used faster than usual.',
      ],
      act: ['Wait for the next period, or raise `max_cost_per_hour`.', 'Stop who spends it.'],
    },
    fires: {
      series: { 'sage_limiter_budget_exhausted_total{rule="global_max_cost_per_hour",handling="reject"}': '_x5 1x10' },
      at: '8m',
      labels: { rule: 'global_max_cost_per_hour' },
    },
    healthy: { 'sage_limiter_budget_exhausted_total{rule="global_max_cost_per_hour",handling="reject"}': '4x40' },
    healthyAt: 40,
  },
  {
    name: 'SageLimiterStoreAway',
    severity: 'page',
    expr: 'sage_limiter_store_away > 0',
    for: '1m',
    summary: 'The limits of {{ $labels.instance }} cannot reach {{ $labels.store }}.',
    description: 'Each agent goes by its part of the limits meanwhile, and spends nothing that a budget counts.',
    runbook: {
      means: 'Limits hold, but coarsely; calls that a budget counts are answered with 503.',
      look: [
        'Whether Redis or PostgreSQL answers, from the agent.',
        'Dashboard "SAGE limits", "Store errors" and "Decision time".',
      ],
      act: [
        'Bring the store back; the agents find it by themselves.',
        'Raise `timeout_ms` of the store, if it answers but late.',
      ],
    },
    fires: {
      series: { 'sage_limiter_store_away{instance="a",store="redis"}': '1x10' },
      at: '3m',
      labels: { instance: 'a', store: 'redis' },
    },
    healthy: { 'sage_limiter_store_away{instance="a",store="redis"}': '0x20' },
  },
  {
    name: 'SageReservationsExpire',
    severity: 'ticket',
    expr: `sum by (rule) ${happened('sage_limiter_leases_expired_total', '1h')}`,
    for: '0m',
    summary: 'Reservations of {{ $labels.rule }} expire unsettled.',
    description: 'Calls took longer than a reservation may, or ended without settling it.',
    runbook: {
      means: 'What such a call used is not charged to its limit, which allows a little too much.',
      look: [
        'Calls that take longer than the lease: dashboard "SAGE models", "Time of a call".',
        'Agents that were killed.',
      ],
      act: ['A longer lease, or a `total_timeout` of the provider that is shorter than it.'],
    },
    fires: {
      series: { 'sage_limiter_leases_expired_total{rule="user_tokens_per_minute"}': '0x5 1x30' },
      at: '10m',
      labels: { rule: 'user_tokens_per_minute' },
    },
    healthy: { 'sage_limiter_leases_expired_total{rule="user_tokens_per_minute"}': '2x130' },
    healthyAt: 125,
  },
  {
    name: 'SageWorkRefused',
    severity: 'page',
    expr: 'sum by (bulkhead) (rate(sage_bulkhead_rejections_total[5m])) > 0.1',
    for: '5m',
    summary: '{{ $labels.bulkhead }} refuses calls, because its queue is full.',
    description: 'More arrives than the agents can do.',
    runbook: {
      means: 'Users get 503 with the time after which to try again.',
      look: [
        'Dashboard "SAGE limits", "Bulkheads": whether it is at its limit all the time or in bursts.',
        'Whether what it waits for is slow: models, storage.',
      ],
      act: [
        'More agents.',
        'A larger `worker_pool_size`, if the processor has room; a larger `queue_size` for bursts.',
      ],
    },
    fires: {
      series: { 'sage_bulkhead_rejections_total{bulkhead="messages"}': '0+60x20' },
      at: '12m',
      labels: { bulkhead: 'messages' },
    },
    healthy: { 'sage_bulkhead_rejections_total{bulkhead="messages"}': '3x30' },
  },
  {
    name: 'SageQueueSlow',
    severity: 'ticket',
    expr: 'histogram_quantile(0.95, sum by (le, queue) (rate(sage_queue_wait_seconds_bucket[5m]))) > 1',
    for: '10m',
    summary: 'One call in twenty waits more than a second in {{ $labels.queue }}.',
    description: 'The queue holds what the agents cannot do at once.',
    runbook: {
      means: 'Users wait before anything happens.',
      look: ['Dashboard "SAGE limits", "Queue wait" and "Bulkheads".'],
      act: ['As for [SageWorkRefused](#sageworkrefused), before it fires.'],
    },
    fires: {
      series: {
        'sage_queue_wait_seconds_bucket{queue="messages",le="1"}': '0+10x30',
        'sage_queue_wait_seconds_bucket{queue="messages",le="2.5"}': '0+100x30',
        'sage_queue_wait_seconds_bucket{queue="messages",le="+Inf"}': '0+100x30',
      },
      at: '25m',
      labels: { queue: 'messages' },
    },
    healthy: {
      'sage_queue_wait_seconds_bucket{queue="messages",le="0.01"}': '0+100x30',
      'sage_queue_wait_seconds_bucket{queue="messages",le="1"}': '0+100x30',
      'sage_queue_wait_seconds_bucket{queue="messages",le="+Inf"}': '0+100x30',
    },
  },
];
