import type { DashboardSpec } from '../dashboard.ts';
import { grown, level, quantile, rate, share, sum } from '../expressions.ts';
import { units } from '../units.ts';

const decisions = 'sage_limiter_decisions_total';
const unitsOf = 'sage_limiter_units_total';
const enforced = 'mode="enforce"';

export const limitsDashboard: DashboardSpec = {
  name: 'limits',
  title: 'SAGE limits',
  description: 'Rate limits, budgets, reservations and queues: who is refused, and what is left.',
  rows: [
    {
      title: 'Decisions',
      panels: [
        {
          title: 'Decisions by rule',
          description: 'What each rule said to the calls it was asked about.',
          unit: units.requestsPerSecond,
          kind: 'stacked',
          queries: [{ expr: sum(rate(decisions, enforced), 'rule, outcome'), legend: '{{rule}} {{outcome}}' }],
        },
        {
          title: 'Denied share by rule',
          description: 'Share that a rule refused. High for one rule: it is too low, or somebody asks too much.',
          unit: units.share,
          badFrom: 0.2,
          queries: [
            {
              expr: share(
                sum(rate(decisions, `${enforced},outcome="denied"`), 'rule'),
                sum(rate(decisions, enforced), 'rule'),
              ),
              legend: '{{rule}}',
            },
          ],
        },
        {
          title: 'Would be denied',
          description: 'Rules in shadow mode: what they would refuse if they were enforced.',
          unit: units.requestsPerSecond,
          queries: [{ expr: sum(rate(decisions, 'mode="shadow",outcome="denied"'), 'rule'), legend: '{{rule}}' }],
        },
        {
          title: 'Near the limit',
          description: 'Allowed calls after which at most a fifth was left.',
          unit: units.requestsPerSecond,
          queries: [{ expr: sum(rate('sage_limiter_near_limit_total'), 'rule'), legend: '{{rule}}' }],
        },
        {
          title: 'Who decided',
          description: 'The store, or who stood in for it while it was away.',
          unit: units.requestsPerSecond,
          kind: 'stacked',
          queries: [{ expr: sum(rate(decisions), 'source'), legend: '{{source}}' }],
        },
        {
          title: 'Decision time p95',
          description: 'Time of a decision of a shared store. In memory it takes none worth measuring.',
          unit: units.seconds,
          queries: [{ expr: quantile(0.95, 'sage_limiter_check_duration_seconds', 'store'), legend: '{{store}}' }],
        },
      ],
    },
    {
      title: 'Budgets and reservations',
      panels: [
        {
          title: 'Budgets exhausted',
          description: 'Calls within the time shown for which a budget did not suffice, by what was done about it.',
          unit: units.count,
          queries: [
            {
              expr: sum(grown('sage_limiter_budget_exhausted_total'), 'rule, handling'),
              legend: '{{rule}} {{handling}}',
            },
          ],
        },
        {
          title: 'Money settled in an hour',
          description: 'US dollars that reservations were settled with, at the rate of the moment.',
          unit: units.dollars,
          queries: [
            { expr: `${sum(rate(unitsOf, 'unit="cost",kind="settled"'), 'rule')} * 3600`, legend: '{{rule}}' },
            {
              expr: `${sum(rate(unitsOf, 'unit="cost",kind="debt"'), 'rule')} * 3600`,
              legend: '{{rule}} beyond the limit',
            },
          ],
        },
        {
          title: 'Tokens reserved and used',
          description:
            'Reserved at the call, settled as used, refunded afterwards. Far apart: max_output_tokens is higher than answers are.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate(unitsOf, 'unit="tokens"'), 'kind'), legend: '{{kind}}' }],
        },
        {
          title: 'Reservations held',
          description: 'Now, by this process. What only grows is not given back.',
          unit: units.count,
          queries: [{ expr: sum(level('sage_limiter_leases'), 'rule'), legend: '{{rule}}' }],
        },
        {
          title: 'Reservations expired',
          description: 'Their time was over before anybody settled them.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate('sage_limiter_leases_expired_total'), 'rule'), legend: '{{rule}}' }],
        },
        {
          title: 'Keys in memory',
          description: 'Users and addresses that limiters of this process remember, and the idle ones that made room.',
          unit: units.count,
          queries: [
            { expr: sum(level('sage_limiter_keys'), 'instance'), legend: '{{instance}}' },
            { expr: sum(grown('sage_limiter_evictions_total'), 'instance'), legend: '{{instance}} evicted' },
          ],
        },
      ],
    },
    {
      title: 'Store and queues',
      panels: [
        {
          title: 'Store away',
          description: '1 while a store does not answer and each rule goes by its policy.',
          unit: units.count,
          badFrom: 1,
          queries: [{ expr: level('sage_limiter_store_away'), legend: '{{instance}} {{store}}' }],
        },
        {
          title: 'Store errors',
          description: 'Calls of a store that failed or came too late.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate('sage_limiter_store_errors_total'), 'store'), legend: '{{store}}' }],
        },
        {
          title: 'Waiting before a limiter',
          description: 'Calls that wait for their turn.',
          unit: units.count,
          queries: [{ expr: sum(level('sage_limiter_queue_depth'), 'instance'), legend: '{{instance}}' }],
        },
        {
          title: 'Queue wait p95',
          description: 'Time that calls waited, of those that got their turn and of the others.',
          unit: units.seconds,
          queries: [
            { expr: quantile(0.95, 'sage_queue_wait_seconds', 'queue, outcome'), legend: '{{queue}} {{outcome}}' },
          ],
        },
        {
          title: 'Bulkheads: at work and waiting',
          description: 'Calls that hold a place of a bulkhead or worker pool, and those that wait for one.',
          unit: units.count,
          queries: [
            { expr: sum(level('sage_bulkhead_in_flight'), 'bulkhead'), legend: '{{bulkhead}} at work' },
            { expr: sum(level('sage_bulkhead_queue_depth'), 'bulkhead'), legend: '{{bulkhead}} waiting' },
          ],
        },
        {
          title: 'Bulkheads: refused',
          description: 'Calls refused because places and queue were taken.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate('sage_bulkhead_rejections_total'), 'bulkhead'), legend: '{{bulkhead}}' }],
        },
      ],
    },
  ],
};
