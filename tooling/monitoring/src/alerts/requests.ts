import type { Alert } from '../alert.ts';

const requests = 'sage_agent_requests_total';
const agentLabels = 'job="sage-agent",instance="a"';

/** What users of the agent notice. */
export const requestAlerts: readonly Alert[] = [
  {
    name: 'SageAgentDown',
    severity: 'page',
    expr: 'up{job="sage-agent"} == 0',
    for: '1m',
    summary: 'The agent {{ $labels.instance }} does not answer Prometheus.',
    description: 'The process is gone, or its metrics cannot be reached.',
    runbook: {
      means: 'An instance serves nobody, or serves unseen: no other alert about it can fire.',
      look: [
        'Is the process there? Its last lines of log say why it ended; an exit code of 137 is the memory limit.',
        'Does `/health/live` answer? Then the process is well, and the way to its metrics is cut: port, path, network policy.',
      ],
      act: [
        'Restart it; if it ends again, go back to the version before.',
        'Where it ran out of memory, see [SageHeapNearlyFull](#sageheapnearlyfull).',
      ],
    },
    fires: {
      series: { 'up{job="sage-agent",instance="a"}': '0x10' },
      at: '3m',
      labels: { job: 'sage-agent', instance: 'a' },
    },
    healthy: { [`up{${agentLabels}}`]: '1x20' },
  },
  {
    name: 'SageAgentsMissing',
    severity: 'page',
    expr: 'absent(up{job="sage-agent"})',
    for: '5m',
    summary: 'Prometheus knows of no agent at all.',
    description: 'No target has the job sage-agent, so no other alert can fire.',
    runbook: {
      means: 'The monitoring is blind: the scrape job is gone or has another name.',
      look: [
        'The targets page of Prometheus.',
        'Whether the scrape configuration or the service discovery was changed.',
      ],
      act: ['Give the job of the agents the name `sage-agent` again.'],
    },
    fires: { series: {}, at: '8m', labels: { job: 'sage-agent' } },
    healthy: { [`up{${agentLabels}}`]: '1x20' },
  },
  {
    name: 'SageAgentNotReady',
    severity: 'page',
    expr: 'sage_health_probe_up{probe="ready"} == 0',
    for: '2m',
    summary: 'The agent {{ $labels.instance }} is not ready.',
    description: 'Its readiness probe has said no for two minutes, longer than it takes to start or to drain.',
    runbook: {
      means:
        'The load balancer sends it nothing. While others are ready, users notice nothing; when none is, everything fails.',
      look: [
        '`/health/ready` names the check that fails; [SageHealthCheckFails](#sagehealthcheckfails) says for how long.',
        '`sage_agent_state`: an agent that stays in `draining` waits for a request that does not end.',
      ],
      act: ['Mend what the check names.', 'Restart an agent that hangs in `starting` or `draining`.'],
    },
    fires: {
      series: { 'sage_health_probe_up{instance="a",probe="ready"}': '0x10' },
      at: '4m',
      labels: { instance: 'a', probe: 'ready' },
    },
    healthy: { 'sage_health_probe_up{instance="a",probe="ready"}': '1x20' },
  },
  {
    name: 'SageHealthCheckFails',
    severity: 'ticket',
    expr: 'sage_health_check_up == 0',
    for: '5m',
    summary: 'The health check {{ $labels.check }} of {{ $labels.instance }} fails.',
    description: 'A dependency has not answered for five minutes. An agent with a fallback stays ready meanwhile.',
    runbook: {
      means: 'Something that the agent needs does not answer: the storage, a model provider.',
      look: ['`/health/ready` for the reason.', 'The lines of log of the operation `health.check`.'],
      act: ['Mend the dependency. The check passes by itself when it answers.'],
    },
    fires: {
      series: { 'sage_health_check_up{instance="a",check="storage"}': '0x20' },
      at: '8m',
      labels: { instance: 'a', check: 'storage' },
    },
    healthy: { 'sage_health_check_up{instance="a",check="storage"}': '1x20' },
  },
  {
    name: 'SageRequestErrorsHigh',
    severity: 'page',
    expr:
      `sum(rate(${requests}{outcome=~"error|timeout"}[5m])) / sum(rate(${requests}{outcome=~"ok|error|timeout"}[5m])) > 0.05` +
      ` and sum(increase(${requests}[5m])) > 10`,
    for: '2m',
    summary: 'More than one request in twenty fails.',
    description: 'Requests end in errors or timeouts. What was denied or cancelled does not count.',
    runbook: {
      means:
        'Users get errors. This one is fast and coarse; the alerts of the service level weigh how long it goes on.',
      look: [
        'Dashboard "SAGE agent", panel "Errors by code": the code says what fails ([errors](../../reference/errors.md)).',
        'Codes of a model: [SageModelErrorsHigh](#sagemodelerrorshigh). Codes of storage or limits: the dashboards of those.',
        'Did it begin with a release? `sage_build_info` shows the versions.',
      ],
      act: [
        'Go back to the version before, if it began with it.',
        'Configure a fallback, if it is a model that fails.',
      ],
    },
    fires: {
      series: {
        'sage_agent_requests_total{outcome="ok"}': '0+50x15',
        'sage_agent_requests_total{outcome="error"}': '0+10x15',
      },
      at: '10m',
    },
    healthy: {
      'sage_agent_requests_total{outcome="ok"}': '0+1000x30',
      'sage_agent_requests_total{outcome="error"}': '0+10x30',
      'sage_agent_requests_total{outcome="denied"}': '0+100x30',
    },
  },
  {
    name: 'SageRequestsSlow',
    severity: 'ticket',
    expr: 'sage_agent_request_duration_seconds:all:p95 > 30',
    for: '10m',
    summary: 'One request in twenty takes longer than thirty seconds.',
    description: 'The time is that of the whole answer, the model included.',
    runbook: {
      means: 'Users wait. Long answers of large models may be as they should; then raise the bound of this alert.',
      look: [
        'Dashboard "SAGE agent", "Own time": if it is short, the model is slow ([SageModelSlow](#sagemodelslow)).',
        'Dashboard "SAGE limits", "Queue wait": calls that wait for their turn.',
        'A trace of a slow request: keep them with `observability.tracing.tail.slow_ms`.',
      ],
      act: [
        'A faster model, a shorter `max_output_tokens`, streams in place of whole answers.',
        'More agents, if it is the queue.',
      ],
    },
    fires: {
      series: {
        'sage_agent_request_duration_seconds_bucket{le="20.48"}': '0+10x30',
        'sage_agent_request_duration_seconds_bucket{le="81.92"}': '0+100x30',
        'sage_agent_request_duration_seconds_bucket{le="+Inf"}': '0+100x30',
      },
      at: '25m',
    },
    healthy: {
      'sage_agent_request_duration_seconds_bucket{le="20.48"}': '0+100x30',
      'sage_agent_request_duration_seconds_bucket{le="81.92"}': '0+100x30',
      'sage_agent_request_duration_seconds_bucket{le="+Inf"}': '0+100x30',
    },
  },
  {
    name: 'SageOwnTimeHigh',
    severity: 'ticket',
    expr: 'histogram_quantile(0.95, sum by (le) (rate(sage_agent_overhead_seconds_bucket[5m]))) > 0.1',
    for: '10m',
    summary: 'The agent itself adds more than a tenth of a second to one request in twenty.',
    description: 'Time of requests without that in which the agent waited for a model.',
    runbook: {
      means: 'The agent, not the model, is slow: storage, a middleware, a queue, or a busy event loop.',
      look: [
        'Dashboard "SAGE agent": "Middleware" and "Other operations" name what takes the time.',
        'Dashboard "SAGE runtime": event loop delay and utilisation.',
      ],
      act: [
        'More agents or processors, if the loop is busy.',
        'A CPU profile of the process, if one step takes it all.',
      ],
    },
    fires: {
      series: {
        'sage_agent_overhead_seconds_bucket{le="0.1"}': '0+10x30',
        'sage_agent_overhead_seconds_bucket{le="0.25"}': '0+100x30',
        'sage_agent_overhead_seconds_bucket{le="+Inf"}': '0+100x30',
      },
      at: '25m',
    },
    healthy: {
      'sage_agent_overhead_seconds_bucket{le="0.01"}': '0+100x30',
      'sage_agent_overhead_seconds_bucket{le="0.1"}': '0+100x30',
      'sage_agent_overhead_seconds_bucket{le="+Inf"}': '0+100x30',
    },
  },
  {
    name: 'SageRequestsDenied',
    severity: 'ticket',
    expr:
      `sum(rate(${requests}{outcome="denied"}[10m])) / sum(rate(${requests}[10m])) > 0.2` +
      ` and sum(increase(${requests}[10m])) > 20`,
    for: '10m',
    summary: 'More than one request in five is denied.',
    description: 'A limit or a missing key refuses them.',
    runbook: {
      means: 'Somebody asks for more than the limits allow: an attack, a client in a loop, or limits that are too low.',
      look: [
        'Dashboard "SAGE limits", "Denied share by rule".',
        'The lines of log with `outcome` denied name the user or the address.',
        '[SageSecurityViolations](#sagesecurityviolations), if keys are refused.',
      ],
      act: ['Block the client, or talk to it.', 'Raise the limit or the tier, if the wish is fair.'],
    },
    fires: {
      series: {
        'sage_agent_requests_total{outcome="ok"}': '0+50x40',
        'sage_agent_requests_total{outcome="denied"}': '0+50x40',
      },
      at: '25m',
    },
    healthy: {
      'sage_agent_requests_total{outcome="ok"}': '0+1000x30',
      'sage_agent_requests_total{outcome="denied"}': '0+100x30',
    },
  },
  {
    name: 'SageSecurityViolations',
    severity: 'ticket',
    expr: 'sum by (kind) (increase(sage_security_violations_total[5m])) > 20',
    for: '0m',
    summary: 'Many violations of security: {{ $labels.kind }}.',
    description: 'More than twenty in five minutes.',
    runbook: {
      means: 'Somebody tries keys or forges signatures; or a client of yours lost its key.',
      look: ['The lines of log of the category `security`, and the audit log: reason, address, agent.'],
      act: ['Block the address.', 'Replace a key that may be known to others.'],
    },
    fires: {
      series: { 'sage_security_violations_total{kind="authentication",reason="unknown_key"}': '0+20x15' },
      at: '10m',
      labels: { kind: 'authentication' },
    },
    healthy: { 'sage_security_violations_total{kind="authentication",reason="unknown_key"}': '0+1x20' },
  },
];
