import type { DashboardSpec } from '../dashboard.ts';
import { level, most, quantile, rate, share, sum } from '../expressions.ts';
import { units } from '../units.ts';

const retried = 'sage_retry_calls_total';

export const recoveryDashboard: DashboardSpec = {
  name: 'recovery',
  title: 'SAGE recovery',
  description: 'Retries, breakers, fallbacks, dead letters and storage: what went wrong that users did not notice.',
  rows: [
    {
      title: 'Retries',
      panels: [
        {
          title: 'Tries by outcome',
          description: 'The first try of each call among them.',
          unit: units.perSecond,
          kind: 'stacked',
          queries: [
            {
              expr: sum(rate('sage_retry_attempts_total'), 'dependency, outcome'),
              legend: '{{dependency}} {{outcome}}',
            },
          ],
        },
        {
          title: 'Calls recovered by a retry',
          description:
            'Share of the calls whose first try failed that a later one saved. 95 % is the goal for what is transient.',
          unit: units.share,
          queries: [
            {
              expr: share(
                sum(rate(retried, 'result="recovered"'), 'dependency'),
                sum(rate(retried, 'result=~"recovered|failed"'), 'dependency'),
              ),
              legend: '{{dependency}}',
            },
          ],
        },
        {
          title: 'Retries refused by the budget',
          description: 'So many calls fail that trying again would only add load.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate('sage_retry_budget_refused_total'), 'dependency'), legend: '{{dependency}}' }],
        },
      ],
    },
    {
      title: 'Breakers and timeouts',
      panels: [
        {
          title: 'Breaker state',
          description: '0 closed, 1 recovering, 2 open, 3 forced open.',
          unit: units.count,
          badFrom: 2,
          queries: [{ expr: level('sage_breaker_state'), legend: '{{instance}} {{dependency}}' }],
        },
        {
          title: 'Breaker changes',
          description: 'Openings and closings. Many: the dependency flaps.',
          unit: units.perSecond,
          queries: [
            {
              expr: sum(rate('sage_breaker_transitions_total'), 'dependency, from, to'),
              legend: '{{dependency}} {{from}} to {{to}}',
            },
          ],
        },
        {
          title: 'Refused by breakers',
          description: 'Calls that were not made, because the dependency rests.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate('sage_breaker_rejections_total'), 'dependency'), legend: '{{dependency}}' }],
        },
        {
          title: 'Timeouts',
          description: 'Timeouts that ended a call.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate('sage_timeouts_total'), 'operation'), legend: '{{operation}}' }],
        },
        {
          title: 'Critical errors',
          description: 'Failures that somebody must look at, by where they come from.',
          unit: units.perSecond,
          badFrom: 0.01,
          queries: [
            { expr: sum(rate('sage_critical_errors_total'), 'source, reason'), legend: '{{source}} {{reason}}' },
          ],
        },
      ],
    },
    {
      title: 'Fallbacks',
      panels: [
        {
          title: 'Fallbacks used',
          description: 'Answers in place of the first choice, and why it was not that.',
          unit: units.perSecond,
          queries: [
            { expr: sum(rate('sage_fallbacks_total'), 'from, to, reason'), legend: '{{from}} to {{to}}: {{reason}}' },
          ],
        },
        {
          title: 'Steps of fallback chains',
          description: 'Targets that were tried, and how that ended.',
          unit: units.perSecond,
          queries: [
            { expr: sum(rate('sage_fallback_steps_total'), 'target, outcome'), legend: '{{target}} {{outcome}}' },
          ],
        },
      ],
    },
    {
      title: 'Dead letters',
      panels: [
        {
          title: 'Dead letters',
          description: 'Messages put aside, and their later tries.',
          unit: units.perSecond,
          queries: [
            {
              expr: sum(rate('sage_dlq_operations_total'), 'queue, operation, outcome'),
              legend: '{{queue}} {{operation}} {{outcome}}',
            },
          ],
        },
        {
          title: 'Letters kept',
          description: 'By state: dead waits for another try, claimed is being tried, parked waits for a person.',
          unit: units.count,
          queries: [{ expr: most(level('sage_dlq_letters'), 'queue, state'), legend: '{{queue}} {{state}}' }],
        },
        {
          title: 'Oldest letter',
          description: 'Time since it failed first; 0 where there is none.',
          unit: units.seconds,
          badFrom: 86_400,
          queries: [{ expr: most(level('sage_dlq_oldest_age_seconds'), 'queue'), legend: '{{queue}}' }],
        },
        {
          title: 'Share of requests that become dead letters',
          description: 'At most 5 % is the goal.',
          unit: units.share,
          badFrom: 0.05,
          queries: [
            {
              expr: share(
                sum(rate('sage_dlq_operations_total', 'operation="put"')),
                sum(rate('sage_agent_requests_total')),
              ),
              legend: 'put aside',
            },
          ],
        },
      ],
    },
    {
      title: 'Storage, caches, pools',
      panels: [
        {
          title: 'Storage operations',
          description: 'Reading, writing, deleting, listing.',
          unit: units.operationsPerSecond,
          kind: 'stacked',
          queries: [
            {
              expr: sum(rate('sage_storage_duration_seconds_count'), 'store, operation'),
              legend: '{{store}} {{operation}}',
            },
          ],
        },
        {
          title: 'Storage time p95',
          description: 'By operation.',
          unit: units.seconds,
          queries: [
            {
              expr: quantile(0.95, 'sage_storage_duration_seconds', 'store, operation'),
              legend: '{{store}} {{operation}}',
            },
          ],
        },
        {
          title: 'Storage failures',
          description: 'Operations that ended in an error or a timeout.',
          unit: units.operationsPerSecond,
          queries: [
            {
              expr: sum(rate('sage_storage_duration_seconds_count', 'outcome=~"error|timeout"'), 'store, operation'),
              legend: '{{store}} {{operation}}',
            },
          ],
        },
        {
          title: 'Second cache tier: hits',
          description: 'Share of the look-ups in a second tier that found something.',
          unit: units.share,
          queries: [
            {
              expr: share(
                sum(rate('sage_cache_lookup_duration_seconds_count', 'hit="true"'), 'cache'),
                sum(rate('sage_cache_lookup_duration_seconds_count'), 'cache'),
              ),
              legend: '{{cache}}',
            },
          ],
        },
        {
          title: 'Connections',
          description: 'Of each pool, at work and idle, and the most it may have.',
          unit: units.count,
          queries: [
            { expr: sum(level('sage_pool_connections'), 'pool, state'), legend: '{{pool}} {{state}}' },
            { expr: sum(level('sage_pool_max_connections'), 'pool'), legend: '{{pool}} at most' },
          ],
        },
        {
          title: 'Waiting for a connection',
          description: 'Calls that wait, and how long they did.',
          unit: units.count,
          queries: [{ expr: sum(level('sage_pool_waiting'), 'pool'), legend: '{{pool}}' }],
        },
        {
          title: 'Wait for a connection p95',
          description: 'Long waits: the pool is too small, or what it leads to is slow.',
          unit: units.seconds,
          queries: [{ expr: quantile(0.95, 'sage_pool_acquire_duration_seconds', 'pool'), legend: '{{pool}}' }],
        },
      ],
    },
  ],
};
