import { type Alert, happened } from '../alert.ts';

const calls = 'sage_llm_calls_total';
/** What a limit or an open breaker refuses never reached the model. */
const judged = `${calls}{outcome=~"ok|error|timeout"}`;
const cost = 'sage_llm_cost_usd_total';
const of = 'provider="p",model="m"';

/** Models: whether they answer, how fast, and what they cost. */
export const modelAlerts: readonly Alert[] = [
  {
    name: 'SageModelErrorsHigh',
    severity: 'page',
    expr:
      `sum by (provider) (rate(${calls}{outcome=~"error|timeout"}[5m])) / sum by (provider) (rate(${judged}[5m])) > 0.2` +
      ` and sum by (provider) (increase(${judged}[5m])) > 5`,
    for: '2m',
    summary: 'More than one call in five of {{ $labels.provider }} fails.',
    description: 'Calls end in errors or timeouts after all their tries.',
    runbook: {
      means:
        'A model provider is down, refuses the key, or its limits are reached. Without a fallback users get errors.',
      look: [
        'Dashboard "SAGE models", "Errors by code": a code of authentication, of a limit, or of the server.',
        'The status page of the provider.',
        '[SageBreakerOpen](#sagebreakeropen): the agent gives it a rest already.',
      ],
      act: [
        'Configure `recovery.fallback.llm_chain`, or take the provider out of it.',
        'Replace the key; raise the limit at the provider, or lower your own below it.',
      ],
    },
    fires: {
      series: {
        'sage_llm_calls_total{provider="p",outcome="ok"}': '0+5x15',
        'sage_llm_calls_total{provider="p",outcome="error"}': '0+5x15',
      },
      at: '10m',
      labels: { provider: 'p' },
    },
    healthy: {
      'sage_llm_calls_total{provider="p",outcome="ok"}': '0+100x30',
      'sage_llm_calls_total{provider="p",outcome="error"}': '0+1x30',
    },
  },
  {
    name: 'SageModelSlow',
    severity: 'ticket',
    expr: 'sage_llm_call_duration_seconds:p95 > 60',
    for: '10m',
    summary: 'One call in twenty of {{ $labels.model }} takes longer than a minute.',
    description: 'Time of the whole call, to the end of its stream.',
    runbook: {
      means: 'The model is overloaded, or its answers are long.',
      look: [
        'Dashboard "SAGE models": if the first token comes late, it is overloaded; if the pace is slow or the answers long, it is the answer.',
        'The status page of the provider.',
      ],
      act: ['Shorter answers (`llm.max_output_tokens`), another model, a second provider in the fallback chain.'],
    },
    fires: {
      series: {
        [`sage_llm_call_duration_seconds_bucket{${of},le="40.96"}`]: '0+10x30',
        [`sage_llm_call_duration_seconds_bucket{${of},le="163.84"}`]: '0+100x30',
        [`sage_llm_call_duration_seconds_bucket{${of},le="+Inf"}`]: '0+100x30',
      },
      at: '25m',
      labels: { provider: 'p', model: 'm' },
    },
    healthy: {
      [`sage_llm_call_duration_seconds_bucket{${of},le="40.96"}`]: '0+100x30',
      [`sage_llm_call_duration_seconds_bucket{${of},le="163.84"}`]: '0+100x30',
      [`sage_llm_call_duration_seconds_bucket{${of},le="+Inf"}`]: '0+100x30',
    },
  },
  {
    name: 'SageFirstTokenLate',
    severity: 'ticket',
    expr: 'sage_llm_first_token_seconds:p95 > 10',
    for: '10m',
    summary: 'One user in twenty waits more than ten seconds for the first word of {{ $labels.model }}.',
    description: 'Time from the start of a call to its first visible token.',
    runbook: {
      means:
        'The model queues calls or reads long prompts. Reasoning models think first; then raise the bound of this alert.',
      look: ['Dashboard "SAGE models": input tokens, cached share, retries of the dependency.'],
      act: ['Shorter prompts that begin alike, so that the provider caches them.', 'Another model or region.'],
    },
    fires: {
      series: {
        [`sage_llm_first_token_seconds_bucket{${of},le="5.12"}`]: '0+10x30',
        [`sage_llm_first_token_seconds_bucket{${of},le="20.48"}`]: '0+100x30',
        [`sage_llm_first_token_seconds_bucket{${of},le="+Inf"}`]: '0+100x30',
      },
      at: '25m',
      labels: { provider: 'p', model: 'm' },
    },
    healthy: {
      [`sage_llm_first_token_seconds_bucket{${of},le="5.12"}`]: '0+100x30',
      [`sage_llm_first_token_seconds_bucket{${of},le="20.48"}`]: '0+100x30',
      [`sage_llm_first_token_seconds_bucket{${of},le="+Inf"}`]: '0+100x30',
    },
  },
  {
    name: 'SageCostRises',
    severity: 'page',
    // With less than a day of samples the mean of the day would be too low.
    expr:
      `sum(rate(${cost}[1h])) > 3 * sum(rate(${cost}[1d] offset 1h)) and sum(increase(${cost}[1h])) > 1` +
      ` and count(${cost} offset 1d) > 0`,
    for: '5m',
    summary: 'Models cost three times what they did the day before.',
    description: 'The last hour against the mean of the day before it, above one US dollar an hour.',
    runbook: {
      means: 'Money is spent that nobody planned: a loop, an attack, a new feature, a dearer model.',
      look: [
        'Dashboard "SAGE models", "Cost of an hour by model": which model.',
        'The usage report (`@sage-adk/metrics/usage`): which tenant and agent.',
      ],
      act: [
        'Set `rate_limit.global.max_cost_per_hour`: the agent refuses what goes beyond it.',
        'Lower the limit of the user that spends it.',
      ],
    },
    fires: {
      series: { 'sage_llm_cost_usd_total{provider="p",model="m"}': '0+0.01x1500 15+1x70' },
      at: '1560m',
    },
    healthy: { 'sage_llm_cost_usd_total{provider="p",model="m"}': '0+1x1600' },
    healthyAt: 1_560,
  },
  {
    name: 'SageCostUnknown',
    severity: 'ticket',
    expr: `sum by (provider, model) ${happened('sage_llm_cost_unknown_total', '1h')}`,
    for: '0m',
    summary: 'Nobody knows what {{ $labels.model }} costs.',
    description: 'A model answered that has no price. Its calls are in no budget and in no sum of money.',
    runbook: {
      means: 'Budgets do not see these calls.',
      look: ['The model in the configuration, and whether its name is one that a preset knows.'],
      act: ['Write its price into `llm.price`, or `llm.providers.*.models.*.price`.'],
    },
    fires: {
      series: { 'sage_llm_cost_unknown_total{provider="p",model="m"}': '_x5 1x20' },
      at: '10m',
      labels: { provider: 'p', model: 'm' },
    },
    healthy: { 'sage_llm_cost_unknown_total{provider="p",model="m"}': '3x130' },
    healthyAt: 125,
  },
];
