import { expect, test } from '@jest/globals';
import { healthConfig, healthFromConfig } from '../src/config.ts';

test('OC1 OH4: the keys of the health block become options', () => {
  expect(healthConfig.parse({}).enabled).toBe(true);
  expect(healthFromConfig(healthConfig.parse({}))).toEqual({
    port: 8081,
    host: '127.0.0.1',
    paths: { live: '/health/live', ready: '/health/ready', startup: '/health/startup' },
    thread: 'worker',
    blockedAfterMs: 5_000,
  });
  expect(
    healthFromConfig(
      healthConfig.parse({
        port: 0,
        host: '::1',
        liveness_path: '/l',
        readiness_path: '/r',
        startup_path: '/s',
        thread: 'main',
        blocked_after_seconds: 0.5,
      }),
    ),
  ).toEqual({
    port: 0,
    host: '::1',
    paths: { live: '/l', ready: '/r', startup: '/s' },
    thread: 'main',
    blockedAfterMs: 500,
  });
});

test.each([
  [{ port: 70_000 }],
  [{ liveness_path: 'live' }],
  [{ paths: {} }],
  [{ readiness_path: '/health/live' }],
  [{ enabled: 'yes' }],
  [{ thread: 'both' }],
  [{ blocked_after_seconds: 0 }],
])('%j is refused', (config) => {
  expect(() => healthConfig.parse(config)).toThrow();
});
