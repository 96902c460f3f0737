import { expect, test } from '@jest/globals';
import { recoveryConfig, recoveryFromConfig } from '../../src/config.ts';
import { createMemoryDeadLetters, startRedrive } from '../../src/dead-letters/index.ts';

const deadLettersOf = (dlq: unknown) => recoveryFromConfig(recoveryConfig.parse({ dlq })).deadLetters;

test('ER24: without the block there are no dead letters', () => {
  expect(recoveryFromConfig(recoveryConfig.parse({})).deadLetters).toBe(false);
  expect(deadLettersOf({ enabled: false, storage: 'redis' })).toBe(false);
});

test('ER24: enabled alone keeps 10000 letters in memory for 30 days, and redrives none', () => {
  expect(deadLettersOf({ enabled: true })).toEqual({
    storage: 'memory',
    store: { maxEntries: 10_000, retentionMs: 30 * 24 * 3_600_000, maxRedrives: 5, whenFull: 'reject-new' },
    redrive: false,
  });
});

test('ER24: each key of the dlq block becomes an option, hours and seconds become milliseconds', async () => {
  const deadLetters = deadLettersOf({
    enabled: true,
    storage: 'postgres',
    max_size: 50,
    retention_hours: 0.5,
    when_full: 'drop-oldest',
    max_redrives: 2,
    auto_retry: true,
    retry_interval: 1.5,
    retry_rate: 3,
  });
  expect(deadLetters).toEqual({
    storage: 'postgres',
    store: { maxEntries: 50, retentionMs: 1_800_000, maxRedrives: 2, whenFull: 'drop-oldest' },
    redrive: { intervalMs: 1_500, retryDelayMs: 1_500, ratePerSecond: 3 },
  });
  if (deadLetters === false || deadLetters.redrive === false) return;
  await startRedrive(createMemoryDeadLetters(deadLetters.store), async () => {}, deadLetters.redrive).close();
});

test.each([
  [{ storage: 'disk' }, 'Invalid option'],
  [{ max_size: 0 }, 'Too small'],
  [{ retention_hours: 0 }, 'Too small'],
  [{ retry_interval: -1 }, 'Too small'],
  [{ size: 1 }, 'Unrecognized key'],
])('%j is refused', (dlq, message) => {
  expect(() => recoveryConfig.parse({ dlq })).toThrow(message);
});
