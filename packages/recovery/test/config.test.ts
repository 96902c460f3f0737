import { expect, test } from '@jest/globals';
import { createCircuitBreakers, createRetry } from '../src/index.ts';
import { recoveryConfig, recoveryFromConfig } from '../src/config.ts';

test('ER24: the keys of the retry block become options', () => {
  expect(recoveryFromConfig(recoveryConfig.parse({})).retry).toEqual({
    maxAttempts: 3,
    jitter: 'full',
    multiplier: 2,
  });
  const { retry } = recoveryFromConfig(
    recoveryConfig.parse({ retry: { max_attempts: 5, jitter: false, backoff_multiplier: 3, retry_budget: 20 } }),
  );
  expect(retry).toEqual({ maxAttempts: 5, jitter: 'none', multiplier: 3, budget: { maxPerWindow: 20 } });
  createRetry(retry);
});

test('ER19 ER24: the keys of the circuit_breaker block become options, seconds become milliseconds', () => {
  expect(recoveryFromConfig(recoveryConfig.parse({})).breaker).toEqual({ dependencies: {} });
  const { breaker } = recoveryFromConfig(
    recoveryConfig.parse({
      circuit_breaker: {
        failure_ratio: 0.3,
        min_calls: 20,
        window: 30,
        slow_call: 2.5,
        slow_ratio: 0.8,
        reset_timeout: 1,
        max_reset_timeout: 60,
        probe_timeout: 10,
        dependencies: { redis: { reset_timeout: 0.1 } },
      },
    }),
  );
  expect(breaker).toEqual({
    failureRatio: 0.3,
    minCalls: 20,
    windowMs: 30_000,
    slowMs: 2_500,
    slowRatio: 0.8,
    openMs: 1_000,
    maxOpenMs: 60_000,
    probeTimeoutMs: 10_000,
    dependencies: { redis: { openMs: 100 } },
  });
  if (breaker !== false) createCircuitBreakers(breaker).close();
  expect(recoveryFromConfig(recoveryConfig.parse({ circuit_breaker: { enabled: false } })).breaker).toBe(false);
});

test('ER5 ER8 ER24: the keys of the fallback block become the plan of a chain', () => {
  expect(recoveryFromConfig(recoveryConfig.parse({})).fallback).toBe(false);
  const fallback = {
    enabled: true,
    llm_chain: [{ provider: 'openai', model: 'gpt-4', priority: 1 }],
    cached_responses: true,
    default_message: 'Please try again.',
  };
  expect(
    recoveryFromConfig(recoveryConfig.parse({ fallback: { ...fallback, on_cut: 'restart' } })).fallback,
  ).toMatchObject({
    onCut: 'restart',
  });
  expect(recoveryFromConfig(recoveryConfig.parse({ fallback })).fallback).toEqual({
    targets: [{ name: 'openai/gpt-4', provider: 'openai', model: 'gpt-4', priority: 1 }],
    order: 'priority',
    onCut: 'fail',
    cachedResponses: true,
    patterns: [],
    defaultMessage: 'Please try again.',
  });
});

test.each([
  [{ retry: { retry_budget: -1 } }, 'Too small'],
  [{ retry: { backoff_multiplier: 0.5 } }, 'Too small'],
  [{ circuit_breaker: { failure_ratio: 2 } }, 'Too big'],
  [{ circuit_breaker: { dependencies: { redis: { enabled: false } } } }, 'Unrecognized key'],
  [{ retrys: {} }, 'Unrecognized key'],
])('%j is refused', (config, message) => {
  expect(() => recoveryConfig.parse(config)).toThrow(message);
});

test('ER9 ER24: patterns of a file are regular expressions, in any case of letters', () => {
  const plan = (pattern: string) =>
    recoveryFromConfig(
      recoveryConfig.parse({ fallback: { enabled: true, order: 'cost', patterns: [{ pattern, answer: 'x' }] } }),
    ).fallback;
  expect(plan('hours?')).toMatchObject({ order: 'cost', patterns: [{ pattern: /hours?/iu, answer: 'x' }] });
  expect(() => plan('hours(')).toThrow('wanted a regular expression');
});
