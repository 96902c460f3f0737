/**
 * Metrics that need no code of their own: a histogram takes how long an operation was, a counter counts operations or events, and one whose name says errors counts those
 * that ended in an error or a timeout. Labels are attributes, `outcome`, `category` and `code`; `operation` is what follows the dot in the operation's name.
 */
import { fastSeconds, modelSeconds, operationSeconds } from './buckets.ts';
import { counter, histogram, type MetricRow } from './row.ts';

export const agentRequestDuration = histogram(
  'sage_agent_request_duration_seconds',
  'Time from the arrival of a request to the last byte of the answer.',
  'agent.request',
  modelSeconds,
  ['protocol', 'method', 'outcome'],
);
export const llmCallDuration = histogram(
  'sage_llm_call_duration_seconds',
  'Time of a call of a model, to the end of its stream.',
  'llm.call',
  modelSeconds,
  ['provider', 'model', 'outcome'],
);

export const derivedMetrics: readonly MetricRow[] = [
  counter('sage_agent_requests_total', 'Requests to the agent that ended.', 'agent.request', [
    'protocol',
    'method',
    'stream',
    'outcome',
  ]),
  agentRequestDuration,
  counter('sage_agent_errors_total', 'Requests that ended in an error or a timeout.', 'agent.request', [
    'protocol',
    'category',
    'code',
  ]),
  counter('sage_llm_calls_total', 'Logical calls of a model that ended, each with all its tries.', 'llm.call', [
    'provider',
    'model',
    'api',
    'stream',
    'outcome',
  ]),
  llmCallDuration,
  counter('sage_llm_errors_total', 'Calls of a model that ended in an error or a timeout.', 'llm.call', [
    'provider',
    'category',
    'code',
  ]),
  histogram('sage_tool_duration_seconds', 'Time of one run of a tool.', 'tool.call', operationSeconds, [
    'tool',
    'outcome',
  ]),
  histogram('sage_a2a_duration_seconds', 'Time of A2A requests, sent and received.', 'a2a.*', modelSeconds, [
    'operation',
    'method',
    'outcome',
  ]),
  histogram('sage_mcp_duration_seconds', 'Time of MCP requests.', 'mcp.call', operationSeconds, [
    'role',
    'method',
    'outcome',
  ]),
  histogram(
    'sage_handshake_duration_seconds',
    'Time of agreeing on a secured session.',
    'protocol.handshake',
    operationSeconds,
    ['role', 'outcome'],
  ),
  histogram(
    'sage_signature_duration_seconds',
    'Time of signing or verifying a message.',
    'protocol.sign,protocol.verify',
    fastSeconds,
    ['operation', 'algorithm', 'outcome'],
  ),
  histogram(
    'sage_did_resolution_duration_seconds',
    'Time of resolving a DID to its document.',
    'did.resolve',
    operationSeconds,
    ['method', 'cached', 'outcome'],
  ),
  histogram('sage_storage_duration_seconds', 'Time of a storage operation.', 'storage.*', operationSeconds, [
    'store',
    'operation',
    'outcome',
  ]),
  histogram(
    'sage_cache_lookup_duration_seconds',
    'Time of a look-up in a second cache tier.',
    'cache.get',
    operationSeconds,
    ['cache', 'tier', 'hit', 'outcome'],
  ),
  histogram(
    'sage_pool_acquire_duration_seconds',
    'Time that a call waited for a connection of a pool.',
    'pool.acquire',
    operationSeconds,
    ['pool', 'outcome'],
  ),
  counter(
    'sage_middleware_errors_total',
    'Calls that an error or a timeout left through a middleware.',
    'agent.middleware',
    ['middleware', 'category', 'code'],
  ),
  counter('sage_retry_attempts_total', 'Tries, the first of each call among them.', 'retry.attempt', [
    'dependency',
    'outcome',
  ]),
  counter('sage_breaker_transitions_total', 'Changes of state of a circuit breaker.', 'breaker.changed', [
    'dependency',
    'from',
    'to',
  ]),
  counter('sage_timeouts_total', 'Timeouts that ended a call.', 'timeout.fired', ['operation']),
  counter('sage_fallback_steps_total', 'Targets of a fallback chain that were tried.', 'fallback.step', [
    'chain',
    'target',
    'tier',
    'outcome',
  ]),
  counter('sage_fallbacks_total', 'Answers of a fallback in place of the first choice.', 'fallback.used', [
    'chain',
    'from',
    'to',
    'reason',
  ]),
  counter('sage_dlq_operations_total', 'Messages put aside, and their later tries.', 'dlq.*', [
    'queue',
    'operation',
    'outcome',
  ]),
  histogram(
    'sage_queue_wait_seconds',
    'Time that a call waited in a queue, by how the wait ended.',
    'queue.wait',
    operationSeconds,
    ['queue', 'outcome'],
  ),
  histogram(
    'sage_limiter_check_duration_seconds',
    'Time of a decision of a shared limiter store, or of who stood in for it.',
    'limiter.check',
    operationSeconds,
    ['store', 'outcome'],
  ),
  counter(
    'sage_limiter_leases_expired_total',
    'Reservations whose time was over before anybody settled them, as far as the process that made them lives.',
    'lease.expired',
    ['rule'],
  ),
  counter(
    'sage_limiter_budget_exhausted_total',
    'Calls for which a budget did not suffice, by what was done about it.',
    'budget.exhausted',
    ['rule', 'handling'],
  ),
  counter('sage_critical_errors_total', 'Failures that somebody must look at.', 'error.critical', ['source', 'reason']),
  counter(
    'sage_security_violations_total',
    'Violations of authentication, signatures or policies.',
    'security.violation',
    ['kind', 'reason'],
  ),
];
