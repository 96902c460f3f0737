import { expect, test } from '@jest/globals';
import { recoveryConfig, recoveryFromConfig } from '../src/config.ts';

test('ER24: the keys of the retry block become options', () => {
  expect(recoveryFromConfig(recoveryConfig.parse({}))).toEqual({
    retry: { maxAttempts: 3, jitter: 'full', multiplier: 2 },
  });
  expect(
    recoveryFromConfig(
      recoveryConfig.parse({ retry: { max_attempts: 5, jitter: false, backoff_multiplier: 3, retry_budget: 20 } }),
    ),
  ).toEqual({
    retry: { maxAttempts: 5, jitter: 'none', multiplier: 3, budget: { maxPerWindow: 20 } },
  });
});

test.each([
  [{ retry: { retry_budget: -1 } }, 'Too small'],
  [{ dlq: { enabled: true } }, 'is known but not supported yet'],
  [{ retry: { backoff_multiplier: 0.5 } }, 'Too small'],
  [{ retrys: {} }, 'Unrecognized key'],
])('%j is refused', (config, message) => {
  expect(() => recoveryConfig.parse(config)).toThrow(message);
});
