import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { emit, operate, source } from '@sage-adk/core';
import { createMetrics, type Metrics } from '../../src/index.ts';
import { readSamples, valueIn } from '../support/exposition-text.ts';

let metrics: Metrics;
beforeEach(() => void (metrics = createMetrics({ runtime: false })));
afterEach(() => metrics.close());

const valueOf = async (name: string, labels?: Readonly<Record<string, string>>): Promise<number | undefined> =>
  valueIn(await metrics.registry.metrics(), name, labels);

describe('RL22: what a rate limiter counts', () => {
  test('decisions of each rule have a metric, summed over limiters', async () => {
    using _one = source('limiter.decisions', () => ({
      'user|allowed|enforce|store': 2,
      'user|denied|enforce|store': 1,
    }));
    using _other = source('limiter.decisions', () => ({ 'user|allowed|enforce|store': 3 }));
    const labels = { rule: 'user', mode: 'enforce', source: 'store' };
    expect(await valueOf('sage_limiter_decisions_total', { ...labels, outcome: 'allowed' })).toBe(5);
    expect(await valueOf('sage_limiter_decisions_total', { ...labels, outcome: 'denied' })).toBe(1);
  });

  test('what is near its limit, reserved and held has a metric by rule', async () => {
    using _near = source('limiter.near_limit', () => ({ user: 4 }));
    using _units = source('limiter.units', () => ({ 'budget|cost|debt': 0.25 }));
    using _leases = source('limiter.leases', () => ({ slots: 2 }));
    expect(await valueOf('sage_limiter_near_limit_total', { rule: 'user' })).toBe(4);
    expect(await valueOf('sage_limiter_units_total', { rule: 'budget', unit: 'cost', kind: 'debt' })).toBe(0.25);
    expect(await valueOf('sage_limiter_leases', { rule: 'slots' })).toBe(2);
  });

  test('stores, keys and the queue have theirs', async () => {
    using _redis = source('limiter.guard.redis', () => ({ answered: 9, failed: 3, away: 1 }));
    using _memory = source('limiter.memory', () => ({ keys: 7, reclaimed: 2 }));
    using _queue = source('limiter.queue', () => ({ waiting: 5 }));
    expect(await valueOf('sage_limiter_store_errors_total', { store: 'redis' })).toBe(3);
    expect(await valueOf('sage_limiter_store_away', { store: 'redis' })).toBe(1);
    expect(await valueOf('sage_limiter_keys')).toBe(7);
    expect(await valueOf('sage_limiter_evictions_total')).toBe(2);
    expect(await valueOf('sage_limiter_queue_depth')).toBe(5);
  });

  test('decisions of shared stores and waits in queues are timed, beside all other operations', async () => {
    operate('limiter.check', { store: 'redis', rules: 1 }, () => {});
    operate('queue.wait', { queue: 'ratelimit' }, () => {});
    expect(await valueOf('sage_limiter_check_duration_seconds_count', { store: 'redis', outcome: 'ok' })).toBe(1);
    expect(await valueOf('sage_queue_wait_seconds_count', { queue: 'ratelimit', outcome: 'ok' })).toBe(1);
    expect(await valueOf('sage_operation_duration_seconds_count', { operation: 'limiter.check' })).toBe(1);
  });

  test('leases that ran out and budgets that did not suffice are counted, beside all other events', async () => {
    emit('lease.expired', { rule: 'slots', held: 1 });
    emit('budget.exhausted', { rule: 'budget', period: 'hour', handling: 'clamp' });
    expect(await valueOf('sage_limiter_leases_expired_total', { rule: 'slots' })).toBe(1);
    expect(await valueOf('sage_limiter_budget_exhausted_total', { rule: 'budget', handling: 'clamp' })).toBe(1);
    expect(await valueOf('sage_events_total', { event: 'lease.expired' })).toBe(1);
  });

  test('a source with a metric of its own is shown once', async () => {
    using _units = source('limiter.units', () => ({ 'budget|cost|debt': 1 }));
    using _guard = source('limiter.guard.redis', () => ({ failed: 3 }));
    const samples = readSamples(await metrics.registry.metrics()).filter(({ name }) => name === 'sage_source');
    expect(samples.map(({ labels }) => labels['source'])).toEqual(['limiter.guard.redis']);
  });

  test('a rule that is named without end stops at the bound, and nothing is lost', async () => {
    const counters = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`r${n}|allowed|enforce|store`, 1]));
    using _many = source('limiter.decisions', () => counters);
    const samples = readSamples(await metrics.registry.metrics()).filter(
      ({ name }) => name === 'sage_limiter_decisions_total',
    );
    expect(samples.length).toBeLessThanOrEqual(1_000);
    expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(5_000);
  });
});
