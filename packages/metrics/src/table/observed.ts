/** Metrics whose cells are fed by code of their own, in `observers/`: a label or a value is more than what an operation says. */
import { fastSeconds, modelSeconds, operationSeconds, requestUsd, tokenSeconds } from './buckets.ts';
import { counter, gauge, histogram } from './row.ts';

const model = ['provider', 'model'] as const;

export const observedMetrics = {
  agentState: gauge(
    'sage_agent_state',
    '1 for the state that the agent is in, 0 for those it was in.',
    'agent.state',
    ['state'],
    { aggregate: 'max' },
  ),
  healthCheckUp: gauge(
    'sage_health_check_up',
    'Last run of a health check: 1 for pass and warn, 0 for fail.',
    'health.check',
    ['check'],
    { aggregate: 'min' },
  ),
  agentRequestsInFlight: gauge(
    'sage_agent_requests_in_flight',
    'Requests that the agent is answering now.',
    'agent.request',
    ['protocol'],
  ),
  agentOverhead: histogram(
    'sage_agent_overhead_seconds',
    'Time of a request without that in which the agent waited for a model.',
    'agent.request',
    fastSeconds,
    ['protocol'],
  ),
  agentRequestCost: histogram(
    'sage_agent_request_cost_usd',
    'Cost of the model calls of one request, where the price of each is known and no other request runs under its id.',
    'agent.request,llm.call',
    requestUsd,
    ['protocol'],
  ),
  llmFirstToken: histogram(
    'sage_llm_first_token_seconds',
    'Time from the start of a call of a model to its first visible token.',
    'llm.call',
    modelSeconds,
    model,
  ),
  llmOutputToken: histogram(
    'sage_llm_output_token_seconds',
    'Mean time between output tokens of one streamed call, after the first.',
    'llm.call',
    tokenSeconds,
    model,
  ),
  llmTokens: counter(
    'sage_llm_tokens_total',
    'Tokens of model calls: input is the prompt, output the completion, their sum the total.',
    'llm.call',
    [...model, 'type'],
    { values: { type: ['input', 'output'] } },
  ),
  llmTokenParts: counter(
    'sage_llm_token_parts_total',
    'Subsets of sage_llm_tokens_total: cached_input and cache_write of the input, reasoning of the output.',
    'llm.call',
    [...model, 'part'],
    { values: { part: ['cached_input', 'cache_write', 'reasoning'] }, unit: 'tokens' },
  ),
  llmCost: counter(
    'sage_llm_cost_usd_total',
    'Cost of the model calls whose price is known, in US dollars.',
    'llm.call',
    model,
    { partsPerUnit: 1e9 },
  ),
  llmCostUnknown: counter(
    'sage_llm_cost_unknown_total',
    'Calls that a model answered, at least in part, and whose cost is not known.',
    'llm.call',
    model,
  ),
  middlewareDuration: histogram(
    'sage_middleware_duration_seconds',
    'Time that a middleware itself took before and after the rest.',
    'agent.middleware',
    fastSeconds,
    ['middleware', 'phase'],
    { values: { phase: ['before', 'after'] } },
  ),
  retryCalls: counter(
    'sage_retry_calls_total',
    'Calls that may be tried again, by how the last try ended.',
    'retry.attempt',
    ['dependency', 'result'],
    { values: { result: ['first_try', 'recovered', 'failed'] } },
  ),
  operationDuration: histogram(
    'sage_operation_duration_seconds',
    'Time of every other operation, by how it ended.',
    'every operation but agent.request and llm.call, those of the user too',
    operationSeconds,
    ['operation', 'outcome'],
  ),
  events: counter('sage_events_total', 'Events that happened.', 'every event', ['event']),
};
