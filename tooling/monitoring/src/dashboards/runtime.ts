import type { DashboardSpec } from '../dashboard.ts';
import { level, quantile, rate, sum } from '../expressions.ts';
import { units } from '../units.ts';

const loopDelay = 'sage_runtime_eventloop_delay_seconds';
const loopTime = 'sage_runtime_eventloop_seconds_total';
const gc = 'sage_runtime_gc_duration_seconds';

export const runtimeDashboard: DashboardSpec = {
  name: 'runtime',
  title: 'SAGE runtime and health',
  description: 'The process under the agent, its probes, and the monitoring itself.',
  rows: [
    {
      title: 'Health',
      panels: [
        {
          title: 'Probes',
          description: '1 while the probe answers yes: live, started, ready.',
          unit: units.count,
          queries: [{ expr: level('sage_health_probe_up'), legend: '{{instance}} {{probe}}' }],
        },
        {
          title: 'Checks',
          description: '0 for a check that failed the last time it ran.',
          unit: units.count,
          queries: [{ expr: level('sage_health_check_up'), legend: '{{instance}} {{check}}' }],
        },
        {
          title: 'State',
          description: 'The state that each agent is in: starting, started, draining, stopped.',
          unit: units.count,
          kind: 'stacked',
          queries: [{ expr: sum(`${level('sage_agent_state')} == 1`, 'state'), legend: '{{state}}' }],
        },
        {
          title: 'Uptime',
          description: 'How long each process has been running. A saw: it is restarted.',
          unit: units.seconds,
          queries: [{ expr: `time() - ${level('sage_runtime_start_time_seconds')}`, legend: '{{instance}}' }],
        },
        {
          title: 'Versions',
          description: 'What runs, by version and Node.js.',
          unit: units.count,
          kind: 'stacked',
          queries: [
            { expr: `count by (version, node) (${level('sage_build_info')})`, legend: '{{version}} on {{node}}' },
          ],
        },
      ],
    },
    {
      title: 'Event loop and processor',
      panels: [
        {
          title: 'Event loop delay',
          description: 'How much later than asked a timer ran. While the loop is late, every request is.',
          unit: units.seconds,
          badFrom: 0.5,
          queries: [
            { expr: quantile(0.5, loopDelay, 'instance'), legend: '{{instance}} p50' },
            { expr: quantile(0.99, loopDelay, 'instance'), legend: '{{instance}} p99' },
          ],
        },
        {
          title: 'Event loop utilisation',
          description: 'Share of the time in which the loop was at work. At 1 there is no room left.',
          unit: units.share,
          badFrom: 0.9,
          queries: [
            {
              expr: `${sum(rate(loopTime, 'state="active"'), 'instance')} / ${sum(rate(loopTime), 'instance')}`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Processor',
          description: 'Processors that the process keeps busy.',
          unit: units.count,
          queries: [
            { expr: sum(rate('sage_runtime_cpu_seconds_total'), 'instance, mode'), legend: '{{instance}} {{mode}}' },
          ],
        },
        {
          title: 'Garbage collection',
          description: 'Share of the time in pauses of the collector.',
          unit: units.share,
          queries: [{ expr: sum(rate(`${gc}_sum`), 'instance, kind'), legend: '{{instance}} {{kind}}' }],
        },
        {
          title: 'Longest pauses (p99)',
          description: 'Of the garbage collector.',
          unit: units.seconds,
          queries: [{ expr: quantile(0.99, gc, 'kind'), legend: '{{kind}}' }],
        },
      ],
    },
    {
      title: 'Memory and resources',
      panels: [
        {
          title: 'Memory',
          description: 'Resident memory, the part of JavaScript objects, and what they hold outside of the heap.',
          unit: units.bytes,
          queries: [
            { expr: level('sage_runtime_rss_bytes'), legend: '{{instance}} resident' },
            { expr: level('sage_runtime_heap_used_bytes'), legend: '{{instance}} heap' },
            { expr: level('sage_runtime_external_bytes'), legend: '{{instance}} external' },
          ],
        },
        {
          title: 'Heap used of its limit',
          description: 'At 1 the process ends.',
          unit: units.share,
          badFrom: 0.9,
          queries: [
            {
              expr: `${level('sage_runtime_heap_used_bytes')} / ${level('sage_runtime_heap_limit_bytes')}`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Active resources',
          description: 'Sockets, timers and requests that keep the process alive. What only grows leaks.',
          unit: units.count,
          kind: 'stacked',
          queries: [{ expr: sum(level('sage_runtime_active_resources'), 'type'), legend: '{{type}}' }],
        },
      ],
    },
    {
      title: 'The monitoring itself',
      panels: [
        {
          title: 'Scrapes that arrive',
          description: '0 where Prometheus does not reach an agent.',
          unit: units.count,
          queries: [{ expr: 'up{job="sage-agent"}', legend: '{{instance}}' }],
        },
        {
          title: 'Series by metric',
          description: 'The ten metrics with the most series. Each may have 1,000 by default.',
          unit: units.count,
          queries: [{ expr: `topk(10, ${sum(level('sage_metrics_series'), 'metric')})`, legend: '{{metric}}' }],
        },
        {
          title: 'Values counted as other',
          description: 'A metric had all its series: a label takes too many values.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate('sage_metrics_overflow_total'), 'metric'), legend: '{{metric}}' }],
        },
        {
          title: 'Events',
          description: 'Everything that happened, by name.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate('sage_events_total'), 'event'), legend: '{{event}}' }],
        },
        {
          title: 'Observers that failed',
          description: 'Errors of what watches. They change nothing but what you see.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate('sage_observer_failures_total'), 'instance'), legend: '{{instance}}' }],
        },
        {
          title: 'Totals of hot paths',
          description: 'Counters that have no metric of their own, such as lines of logs.',
          unit: units.count,
          queries: [{ expr: sum(level('sage_source'), 'source, name'), legend: '{{source}} {{name}}' }],
        },
      ],
    },
  ],
};
