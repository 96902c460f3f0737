import { type Alert, happened } from '../alert.ts';

/** The process, and the monitoring itself. */
export const runtimeAlerts: readonly Alert[] = [
  {
    name: 'SageAgentRestarts',
    severity: 'ticket',
    expr: 'changes(sage_runtime_start_time_seconds[30m]) > 2',
    for: '0m',
    summary: 'The agent {{ $labels.instance }} keeps restarting.',
    description: 'It started more than twice within half an hour.',
    runbook: {
      means: 'It ends by itself or is killed; each time the requests in flight may be lost.',
      look: [
        'The last lines of log before each start.',
        'The exit code: 137 is the memory limit of the platform.',
        'Whether the liveness probe killed it.',
      ],
      act: ['Go back to the version before.', 'More memory, or see [SageHeapNearlyFull](#sageheapnearlyfull).'],
    },
    fires: {
      series: { 'sage_runtime_start_time_seconds{instance="a"}': '1 1 2 2 3 3 4 4' },
      at: '7m',
      labels: { instance: 'a' },
    },
    healthy: { 'sage_runtime_start_time_seconds{instance="a"}': '1x10 2x30' },
  },
  {
    name: 'SageEventLoopLate',
    severity: 'page',
    expr: 'histogram_quantile(0.99, sum by (le, instance) (rate(sage_runtime_eventloop_delay_seconds_bucket[5m]))) > 0.5',
    for: '5m',
    summary: 'The event loop of {{ $labels.instance }} is late.',
    description: 'Work that does not give way holds up every request.',
    runbook: {
      means: 'All requests of this process are slow at once.',
      look: [
        'Dashboard "SAGE runtime": utilisation, garbage collection, memory.',
        'A CPU profile of the process while it is late.',
      ],
      act: ['Move heavy work into threads.', 'More agents, if it is the load.'],
    },
    fires: {
      series: {
        'sage_runtime_eventloop_delay_seconds_bucket{instance="a",le="0.5"}': '0+10x20',
        'sage_runtime_eventloop_delay_seconds_bucket{instance="a",le="1"}': '0+100x20',
        'sage_runtime_eventloop_delay_seconds_bucket{instance="a",le="+Inf"}': '0+100x20',
      },
      at: '15m',
      labels: { instance: 'a' },
    },
    healthy: {
      'sage_runtime_eventloop_delay_seconds_bucket{instance="a",le="0.5"}': '0+100x20',
      'sage_runtime_eventloop_delay_seconds_bucket{instance="a",le="1"}': '0+100x20',
      'sage_runtime_eventloop_delay_seconds_bucket{instance="a",le="+Inf"}': '0+100x20',
    },
  },
  {
    name: 'SageHeapNearlyFull',
    severity: 'page',
    expr: 'sage_runtime_heap_used_bytes / sage_runtime_heap_limit_bytes > 0.9',
    for: '5m',
    summary: 'The heap of {{ $labels.instance }} is nearly full.',
    description: 'At its limit the process ends.',
    runbook: {
      means: 'It collects garbage all the time, and is about to end.',
      look: [
        'Dashboard "SAGE runtime", "Memory": whether it grows steadily (a leak) or with the load.',
        'A heap profile.',
      ],
      act: ['Restart it, one instance after the other.', 'A larger `--max-old-space-size`, if it is the load.'],
    },
    fires: {
      series: {
        'sage_runtime_heap_used_bytes{instance="a"}': '95x20',
        'sage_runtime_heap_limit_bytes{instance="a"}': '100x20',
      },
      at: '10m',
      labels: { instance: 'a' },
    },
    healthy: {
      'sage_runtime_heap_used_bytes{instance="a"}': '50x20',
      'sage_runtime_heap_limit_bytes{instance="a"}': '100x20',
    },
  },
  {
    name: 'SageMetricsOverflow',
    severity: 'ticket',
    expr: `sum by (metric) ${happened('sage_metrics_overflow_total', '1h')}`,
    for: '0m',
    summary: '{{ $labels.metric }} has all the series that it may have.',
    description: 'What is new is counted under the label value other.',
    runbook: {
      means: 'A label takes values without bound: a model name that a client makes up, an address.',
      look: ['Dashboard "SAGE runtime", "Series by metric"; then the labels of that metric.'],
      act: ['Take the label out, or bound its values. A larger `seriesPerMetric` only if they are bounded.'],
    },
    fires: {
      series: { 'sage_metrics_overflow_total{metric="m"}': '_x5 4x10' },
      at: '8m',
      labels: { metric: 'm' },
    },
    healthy: { 'sage_metrics_overflow_total{metric="m"}': '4x130' },
    healthyAt: 125,
  },
  {
    name: 'SageObserverFails',
    severity: 'ticket',
    expr: `sum by (instance) ${happened('sage_observer_failures_total', '1h')}`,
    for: '0m',
    summary: 'An observer of {{ $labels.instance }} throws.',
    description: 'Metrics, logs or traces miss something; the agent itself goes on.',
    runbook: {
      means: 'What you see is not whole.',
      look: ['Observers of your own that were added lately.'],
      act: ['Mend the observer.'],
    },
    fires: {
      series: { 'sage_observer_failures_total{instance="a"}': '0x5 1x30' },
      at: '10m',
      labels: { instance: 'a' },
    },
    healthy: { 'sage_observer_failures_total{instance="a"}': '0x130' },
    healthyAt: 125,
  },
];
