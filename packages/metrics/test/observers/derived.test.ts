import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { begin, compose, defineErrors, emit, observerFailures, operate, source } from '@sage-adk/core';
import { createMetrics, type Metrics } from '../../src/index.ts';
import { readSamples, valueIn } from '../support/exposition-text.ts';

const errors = defineErrors('DERIVED_TEST', {
  DOWN: { category: 'transient', status: 503, message: 'Down.' },
  DENIED: { category: 'permanent', outcome: 'denied', status: 403, message: 'Denied.' },
});

let metrics: Metrics;
beforeEach(() => void (metrics = createMetrics({ runtime: false })));
afterEach(() => metrics.close());

const valueOf = async (name: string, labels?: Readonly<Record<string, string>>): Promise<number | undefined> =>
  valueIn(await metrics.registry.metrics(), name, labels);
const failing = (error: Error) => () => Promise.reject(error);

describe('operations with a metric of their own', () => {
  test('OM11 OM12 OM13 OM14: A2A messages, handshakes, DID resolution, signing and verifying', async () => {
    operate('a2a.send', { method: 'SendMessage', stream: false }, () => {});
    operate('protocol.handshake', { protocol: 'sage', role: 'initiator' }, () => {});
    await expect(
      operate('protocol.handshake', { protocol: 'sage', role: 'responder' }, failing(errors.DOWN())),
    ).rejects.toThrow();
    operate('did.resolve', { method: 'web' }, (operation) => operation.set({ cached: true }));
    operate('protocol.sign', { algorithm: 'ed25519' }, () => {});
    operate('protocol.verify', { algorithm: 'ed25519' }, () => {});
    expect(
      await valueOf('sage_a2a_duration_seconds_count', { operation: 'send', method: 'SendMessage', outcome: 'ok' }),
    ).toBe(1);
    expect(await valueOf('sage_handshake_duration_seconds_count', { role: 'initiator', outcome: 'ok' })).toBe(1);
    expect(await valueOf('sage_handshake_duration_seconds_count', { role: 'responder', outcome: 'error' })).toBe(1);
    expect(
      await valueOf('sage_did_resolution_duration_seconds_count', { method: 'web', cached: 'true', outcome: 'ok' }),
    ).toBe(1);
    for (const operation of ['sign', 'verify']) {
      expect(await valueOf('sage_signature_duration_seconds_count', { operation, algorithm: 'ed25519' })).toBe(1);
    }
  });

  test('OM15 OM16: storage operations by store and operation', async () => {
    const start = { store: 'redis', namespace: 'n' };
    operate('storage.get', start, () => {});
    operate('storage.set', start, () => {});
    operate('storage.delete', start, () => {});
    operate('storage.list', start, () => {});
    for (const operation of ['get', 'set', 'delete', 'list']) {
      expect(await valueOf('sage_storage_duration_seconds_count', { store: 'redis', operation, outcome: 'ok' })).toBe(
        1,
      );
    }
    expect((await metrics.registry.metrics()).includes('namespace=')).toBe(false);
  });

  test('look-ups in a second cache tier by what they found, tools, MCP and dead letters by how they ended', async () => {
    operate('cache.get', { cache: 'answers', tier: 'redis' }, (operation) => operation.set({ hit: false }));
    operate('tool.call', { tool: 'search' }, () => {});
    operate('mcp.call', { method: 'tools/call', role: 'client' }, () => {});
    operate('dlq.put', { store: 'memory', queue: 'messages' }, () => {});
    operate('fallback.step', { chain: 'llm', target: 'b', tier: 'fallback' }, () => {});
    expect(await valueOf('sage_cache_lookup_duration_seconds_count', { cache: 'answers', hit: 'false' })).toBe(1);
    expect(await valueOf('sage_tool_duration_seconds_count', { tool: 'search', outcome: 'ok' })).toBe(1);
    expect(await valueOf('sage_mcp_duration_seconds_count', { role: 'client', method: 'tools/call' })).toBe(1);
    expect(await valueOf('sage_dlq_operations_total', { queue: 'messages', operation: 'put', outcome: 'ok' })).toBe(1);
    expect(await valueOf('sage_fallback_steps_total', { chain: 'llm', target: 'b', outcome: 'ok' })).toBe(1);
  });

  test('the time of a request without that of the model', async () => {
    const start = { protocol: 'http', method: 'm', stream: false } as const;
    operate('agent.request', start, () => {});
    expect(await valueOf('sage_agent_overhead_seconds_count', { protocol: 'http' })).toBeUndefined();
    operate('agent.request', start, (operation) => operation.set({ llmMs: 60_000 }));
    expect(await valueOf('sage_agent_overhead_seconds_count', { protocol: 'http' })).toBe(1);
    expect(await valueOf('sage_agent_overhead_seconds_sum', { protocol: 'http' })).toBe(0);
  });

  test('OM18: how long a call waited for a connection of a pool', async () => {
    operate('pool.acquire', { pool: 'postgres' }, () => {});
    expect(await valueOf('sage_pool_acquire_duration_seconds_count', { pool: 'postgres', outcome: 'ok' })).toBe(1);
  });

  test('OM21: errors by the middleware they pass through; what was denied is none', async () => {
    const answer = (error: Error) =>
      compose(
        [
          { name: 'outer', middleware: (input: string, next) => next(input) },
          { name: 'inner', middleware: (input: string, next) => next(input) },
        ],
        failing(error),
      )('x');
    await expect(answer(errors.DOWN())).rejects.toThrow();
    await expect(answer(errors.DENIED())).rejects.toThrow();
    for (const middleware of ['outer', 'inner']) {
      const code = 'SAGE_DERIVED_TEST_DOWN';
      expect(await valueOf('sage_middleware_errors_total', { middleware, category: 'transient', code })).toBe(1);
    }
    const samples = readSamples(await metrics.registry.metrics());
    expect(samples.filter(({ name }) => name === 'sage_middleware_errors_total')).toHaveLength(2);
  });

  test('operations that begin with one object by what each learned and how it ended', async () => {
    const start = { method: 'web' };
    for (const cached of [true, true, false, false, true])
      operate('did.resolve', start, (operation) => operation.set({ cached }));
    const count = 'sage_did_resolution_duration_seconds_count';
    expect(await valueOf(count, { method: 'web', cached: 'true', outcome: 'ok' })).toBe(3);
    expect(await valueOf(count, { method: 'web', cached: 'false', outcome: 'ok' })).toBe(2);
    const call = { provider: 'openai', model: 'gpt-x', api: 'chat', stream: false };
    for (const error of [errors.DOWN(), errors.DOWN(), new TypeError('broken'), undefined, undefined])
      await operate('llm.call', call, () => (error ? Promise.reject(error) : Promise.resolve())).catch(() => {});
    expect(await valueOf('sage_llm_calls_total', { model: 'gpt-x', outcome: 'ok' })).toBe(2);
    expect(await valueOf('sage_llm_calls_total', { model: 'gpt-x', outcome: 'error' })).toBe(3);
    expect(await valueOf('sage_llm_call_duration_seconds_count', { model: 'gpt-x', outcome: 'error' })).toBe(3);
    expect(await valueOf('sage_llm_errors_total', { provider: 'openai', code: 'SAGE_DERIVED_TEST_DOWN' })).toBe(2);
    expect(await valueOf('sage_llm_errors_total', { provider: 'openai', code: 'none' })).toBe(1);
  });

  test('OM22: tries by how each ended, and calls by how the last try ended, for the success rate of retries', async () => {
    const attempt = (outcome: 'ok' | 'error', number: number, delayMs?: number): void => {
      const operation = begin('retry.attempt', { dependency: 'openai', attempt: number });
      if (delayMs !== undefined) operation.set({ delayMs });
      if (outcome === 'ok') operation.end();
      else operation.fail(errors.DOWN());
    };
    attempt('ok', 1);
    attempt('error', 1, 10);
    attempt('ok', 2);
    attempt('error', 1, 10);
    attempt('error', 2);
    const dependency = 'openai';
    expect(await valueOf('sage_retry_attempts_total', { dependency, outcome: 'ok' })).toBe(2);
    expect(await valueOf('sage_retry_attempts_total', { dependency, outcome: 'error' })).toBe(3);
    for (const result of ['first_try', 'recovered', 'failed']) {
      expect(await valueOf('sage_retry_calls_total', { dependency, result })).toBe(1);
    }
  });
});

describe('events with a metric of their own', () => {
  test('OM23: changes of a breaker from one state to another', async () => {
    emit('breaker.changed', { dependency: 'openai', from: 'closed', to: 'open', reason: 'failures' });
    emit('breaker.changed', { dependency: 'openai', from: 'open', to: 'recovering', reason: 'rested' });
    const dependency = 'openai';
    expect(await valueOf('sage_breaker_transitions_total', { dependency, from: 'closed', to: 'open' })).toBe(1);
    expect(await valueOf('sage_breaker_transitions_total', { dependency, from: 'open', to: 'recovering' })).toBe(1);
  });

  test('OM25: timeouts by what they ended', async () => {
    emit('timeout.fired', { operation: 'llm.call', timeoutMs: 10 });
    expect(await valueOf('sage_timeouts_total', { operation: 'llm.call' })).toBe(1);
  });

  test('fallbacks, critical errors and violations of security by their reason', async () => {
    emit('fallback.used', { chain: 'llm', from: 'a', to: 'b', reason: 'overloaded' });
    emit('error.critical', { source: 'storage', reason: 'degraded', message: 'secret words' });
    emit('security.violation', { kind: 'authentication', reason: 'unknown_key' });
    expect(await valueOf('sage_fallbacks_total', { chain: 'llm', from: 'a', to: 'b', reason: 'overloaded' })).toBe(1);
    expect(await valueOf('sage_critical_errors_total', { source: 'storage', reason: 'degraded' })).toBe(1);
    expect(await valueOf('sage_security_violations_total', { kind: 'authentication', reason: 'unknown_key' })).toBe(1);
    expect(await metrics.registry.metrics()).not.toContain('secret words');
    expect(observerFailures()).toBe(0);
  });
});

describe('sources with a metric of their own', () => {
  test('ER21 OM23: the state of each breaker and what it refused, also of a dependency with dots in its name', async () => {
    using _breakers = source('recovery.breaker', () => ({
      'api.openai.com.state': 2,
      'api.openai.com.rejected': 7,
      'api.openai.com.failures': 9,
    }));
    expect(await valueOf('sage_breaker_state', { dependency: 'api.openai.com' })).toBe(2);
    expect(await valueOf('sage_breaker_rejections_total', { dependency: 'api.openai.com' })).toBe(7);
  });

  test('ER21 OM23: of two sources that say the same the row says which one is shown, or that both are added', async () => {
    using _one = source('recovery.breaker', () => ({ 'redis.state': 3, 'redis.rejected': 7 }));
    using _other = source('recovery.breaker', () => ({ 'redis.state': 2, 'redis.rejected': 4 }));
    using _well = source('health.probes', () => ({ live: 1, ready: 1 }));
    using _draining = source('health.probes', () => ({ live: 1, ready: 0 }));
    expect(await valueOf('sage_breaker_state', { dependency: 'redis' })).toBe(3);
    expect(await valueOf('sage_breaker_rejections_total', { dependency: 'redis' })).toBe(11);
    expect(await valueOf('sage_health_probe_up', { probe: 'live' })).toBe(1);
    expect(await valueOf('sage_health_probe_up', { probe: 'ready' })).toBe(0);
  });

  test('OM22: retries that a budget refused', async () => {
    using _budget = source('recovery.budget', () => ({ 'openai.retries': 5, 'openai.left': 1, 'openai.refused': 3 }));
    expect(await valueOf('sage_retry_budget_refused_total', { dependency: 'openai' })).toBe(3);
  });

  test('OM24: queue depth, places taken and rejections of bulkheads and worker pools', async () => {
    using _bulkheads = source('recovery.bulkhead', () => ({
      'openai.active': 2,
      'openai.waiting': 3,
      'openai.rejected': 4,
    }));
    using _pool = source('pool.messages', () => ({ running: 5, waiting: 6, completed: 100, refused: 7 }));
    const values = async (bulkhead: string) => [
      await valueOf('sage_bulkhead_in_flight', { bulkhead }),
      await valueOf('sage_bulkhead_queue_depth', { bulkhead }),
      await valueOf('sage_bulkhead_rejections_total', { bulkhead }),
    ];
    expect(await values('openai')).toEqual([2, 3, 4]);
    expect(await values('messages')).toEqual([5, 6, 7]);
  });

  test('letters of a dead-letter queue by state, and the age of the oldest', async () => {
    using _letters = source('dlq.letters', () => ({ 'in/a|dead': 3, 'in/a|parked': 1 }));
    using _oldest = source('dlq.oldest', () => ({ 'in/a': 90.5 }));
    expect(await valueOf('sage_dlq_letters', { queue: 'in/a', state: 'dead' })).toBe(3);
    expect(await valueOf('sage_dlq_letters', { queue: 'in/a', state: 'parked' })).toBe(1);
    expect(await valueOf('sage_dlq_oldest_age_seconds', { queue: 'in/a' })).toBe(90.5);
    expect(await valueOf('sage_source', { source: 'dlq.letters' })).toBeUndefined();
  });

  test('OM18: connections of a pool that are active and idle, who waits, and how many there may be', async () => {
    using _connections = source('connections.pools', () => ({ 'postgres|active': 3, 'postgres|idle': 1 }));
    using _waiting = source('connections.waiting', () => ({ postgres: 2 }));
    using _max = source('connections.max', () => ({ postgres: 10 }));
    expect(await valueOf('sage_pool_connections', { pool: 'postgres', state: 'active' })).toBe(3);
    expect(await valueOf('sage_pool_connections', { pool: 'postgres', state: 'idle' })).toBe(1);
    expect(await valueOf('sage_pool_waiting', { pool: 'postgres' })).toBe(2);
    expect(await valueOf('sage_pool_max_connections', { pool: 'postgres' })).toBe(10);
    expect(await valueOf('sage_source', { source: 'connections.pools' })).toBeUndefined();
  });
});
