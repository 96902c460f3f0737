import type { DashboardSpec } from '../dashboard.ts';
import { level, quantile, rate, share, sum } from '../expressions.ts';
import { units } from '../units.ts';

const requests = 'sage_agent_requests_total';
const duration = 'sage_agent_request_duration_seconds';
const failed = 'outcome=~"error|timeout"';
const judged = 'outcome=~"ok|error|timeout"';
const requestErrors = share(sum(rate(requests, failed)), sum(rate(requests, judged)));

export const agentDashboard: DashboardSpec = {
  name: 'agent',
  title: 'SAGE agent',
  description: 'What users see: requests, errors, time. Start here.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Agents ready',
          description: 'Instances whose readiness probe answers yes.',
          unit: units.count,
          kind: 'number',
          badBelow: 1,
          queries: [{ expr: sum(level('sage_health_probe_up', 'probe="ready"')), legend: 'ready' }],
        },
        {
          title: 'Requests',
          description: 'Requests that end in a second.',
          unit: units.requestsPerSecond,
          kind: 'number',
          queries: [{ expr: sum(rate(requests)), legend: 'requests' }],
        },
        {
          title: 'Errors',
          description:
            'Share of the requests that ended in an error or a timeout; those that were denied or cancelled do not count.',
          unit: units.share,
          kind: 'number',
          badFrom: 0.01,
          queries: [{ expr: requestErrors, legend: 'errors' }],
        },
        {
          title: 'p95',
          description: 'Nineteen of twenty requests took no longer, the answer of the model included.',
          unit: units.seconds,
          kind: 'number',
          queries: [{ expr: quantile(0.95, duration), legend: 'p95' }],
        },
        {
          title: 'Own time p95',
          description: 'The same without the time in which the agent waited for a model: what the agent itself adds.',
          unit: units.seconds,
          kind: 'number',
          badFrom: 0.1,
          queries: [{ expr: quantile(0.95, 'sage_agent_overhead_seconds'), legend: 'p95' }],
        },
        {
          title: 'Critical errors',
          description: 'Failures within the time shown that somebody must look at.',
          unit: units.count,
          kind: 'number',
          badFrom: 1,
          queries: [
            {
              expr: `sum(increase(${level('sage_events_total', 'event="error.critical"')}[$__range])) or vector(0)`,
              legend: 'critical',
            },
          ],
        },
      ],
    },
    {
      title: 'Requests',
      panels: [
        {
          title: 'Requests by protocol',
          description: 'How many arrive, and in which way.',
          unit: units.requestsPerSecond,
          kind: 'stacked',
          queries: [{ expr: sum(rate(requests), 'protocol, method'), legend: '{{protocol}} {{method}}' }],
        },
        {
          title: 'Requests by outcome',
          description: 'ok; error and timeout are ours; denied by a limit or a key; cancelled by the client.',
          unit: units.requestsPerSecond,
          kind: 'stacked',
          queries: [{ expr: sum(rate(requests), 'outcome'), legend: '{{outcome}}' }],
        },
        {
          title: 'In flight',
          description: 'Requests that are being answered. What only grows is stuck.',
          unit: units.count,
          queries: [{ expr: sum(level('sage_agent_requests_in_flight'), 'instance'), legend: '{{instance}}' }],
        },
        {
          title: 'Error share by protocol',
          description: 'Share of the requests that ended in an error or a timeout.',
          unit: units.share,
          badFrom: 0.05,
          queries: [
            {
              expr: share(sum(rate(requests, failed), 'protocol'), sum(rate(requests, judged), 'protocol')),
              legend: '{{protocol}}',
            },
          ],
        },
        {
          title: 'Errors by code',
          description:
            'Which errors; docs/reference/errors.md says what each means. Permanent ones do not go away by trying again.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate('sage_agent_errors_total'), 'category, code'), legend: '{{category}} {{code}}' }],
        },
        {
          title: 'Service levels: bad share in an hour',
          description: 'Recorded by rules/slo.yaml. An alert fires while this burns the budget of the month too fast.',
          unit: units.share,
          queries: [{ expr: 'sage:slo_bad:ratio_rate1h', legend: '{{slo}}' }],
        },
      ],
    },
    {
      title: 'Time',
      panels: [
        {
          title: 'Request time',
          description: 'From the arrival to the last byte of the answer.',
          unit: units.seconds,
          queries: [
            { expr: quantile(0.5, duration), legend: 'p50' },
            { expr: quantile(0.95, duration), legend: 'p95' },
            { expr: quantile(0.99, duration), legend: 'p99' },
          ],
        },
        {
          title: 'Own time',
          description: 'Request time without that of the model.',
          unit: units.seconds,
          badFrom: 0.1,
          queries: [
            { expr: quantile(0.5, 'sage_agent_overhead_seconds'), legend: 'p50' },
            { expr: quantile(0.95, 'sage_agent_overhead_seconds'), legend: 'p95' },
            { expr: quantile(0.99, 'sage_agent_overhead_seconds'), legend: 'p99' },
          ],
        },
        {
          title: 'Middleware p95',
          description: 'Time of each step itself, before and after the rest.',
          unit: units.seconds,
          queries: [
            {
              expr: quantile(0.95, 'sage_middleware_duration_seconds', 'middleware, phase'),
              legend: '{{middleware}} {{phase}}',
            },
          ],
        },
        {
          title: 'Middleware errors',
          description: 'Calls that an error or a timeout left through a middleware, by the step and the code.',
          unit: units.perSecond,
          queries: [
            { expr: sum(rate('sage_middleware_errors_total'), 'middleware, code'), legend: '{{middleware}} {{code}}' },
          ],
        },
        {
          title: 'A2A p95',
          description: 'A2A requests, sent and received.',
          unit: units.seconds,
          queries: [
            {
              expr: quantile(0.95, 'sage_a2a_duration_seconds', 'operation, method'),
              legend: '{{operation}} {{method}}',
            },
          ],
        },
        {
          title: 'Handshakes, signatures and DIDs p95',
          description: 'What securing a message takes.',
          unit: units.seconds,
          queries: [
            { expr: quantile(0.95, 'sage_handshake_duration_seconds', 'role'), legend: 'handshake {{role}}' },
            { expr: quantile(0.95, 'sage_signature_duration_seconds', 'operation'), legend: '{{operation}}' },
            { expr: quantile(0.95, 'sage_did_resolution_duration_seconds', 'method'), legend: 'DID {{method}}' },
          ],
        },
        {
          title: 'Other operations p95',
          description: 'Every operation by its name, those of your own too.',
          unit: units.seconds,
          queries: [{ expr: quantile(0.95, 'sage_operation_duration_seconds', 'operation'), legend: '{{operation}}' }],
        },
      ],
    },
    {
      title: 'Security',
      panels: [
        {
          title: 'Violations',
          description: 'Failed authentication, wrong signatures, violated policies.',
          unit: units.perSecond,
          queries: [
            { expr: sum(rate('sage_security_violations_total'), 'kind, reason'), legend: '{{kind}} {{reason}}' },
          ],
        },
      ],
    },
  ],
};
