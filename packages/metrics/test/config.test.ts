import { describe, expect, test } from '@jest/globals';
import { metricsConfig, metricsFromConfig } from '../src/config.ts';

describe('the metrics block', () => {
  test('OC1: has a default for each key', () => {
    expect(metricsFromConfig(metricsConfig.parse({}))).toEqual({
      enabled: true,
      listen: { host: '127.0.0.1', port: 9464, path: '/metrics' },
    });
    expect(metricsConfig.parse(undefined)).toEqual(metricsConfig.parse({}));
  });

  test('takes the keys over', () => {
    const block = { enabled: false, host: '0.0.0.0', port: 0, path: '/internal/metrics' };
    expect(metricsFromConfig(metricsConfig.parse(block))).toEqual({
      enabled: false,
      listen: { host: '0.0.0.0', port: 0, path: '/internal/metrics' },
    });
  });

  test.each([[{ port: 65_536 }], [{ port: '9464' }], [{ path: 'metrics' }], [{ host: '' }], [{ prot: 1 }]])(
    'refuses %j',
    (block) => {
      expect(metricsConfig.safeParse(block).success).toBe(false);
    },
  );

  test('says of the key that is not wired yet that it is known', () => {
    expect(metricsConfig.safeParse({ interval: 15 }).error?.issues[0]).toMatchObject({
      path: ['interval'],
      message: 'is known but not supported yet',
    });
  });
});
