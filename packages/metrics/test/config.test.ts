import { describe, expect, test } from '@jest/globals';
import { metricsConfig, metricsFromConfig } from '../src/config.ts';

describe('the metrics block', () => {
  test('OC1: has a default for each key', () => {
    expect(metricsFromConfig(metricsConfig.parse({}))).toEqual({
      enabled: true,
      listen: { host: '127.0.0.1', port: 9464, path: '/metrics' },
      everyMs: 15_000,
      objectives: { windowDays: 30 },
    });
    expect(metricsConfig.parse(undefined)).toEqual(metricsConfig.parse({}));
  });

  test('OC1: takes the keys over', () => {
    const block = {
      enabled: false,
      host: '0.0.0.0',
      port: 0,
      path: '/internal/metrics',
      interval: 1,
      push_url: 'http://gateway:9091',
      textfile: '/var/lib/node_exporter/agent.prom',
      usage: { enabled: true, storage: 'postgres' },
      objectives: { availability: 0.999, latency: 0.95, latency_seconds: 2.56, window_days: 7 },
    };
    expect(metricsFromConfig(metricsConfig.parse(block))).toEqual({
      enabled: false,
      listen: { host: '0.0.0.0', port: 0, path: '/internal/metrics' },
      everyMs: 1_000,
      pushUrl: 'http://gateway:9091',
      textfile: '/var/lib/node_exporter/agent.prom',
      usage: 'postgres',
      objectives: { availability: 0.999, latency: { share: 0.95, withinSeconds: 2.56 }, windowDays: 7 },
    });
  });

  test.each([
    [{ port: 65_536 }],
    [{ port: '9464' }],
    [{ path: 'metrics' }],
    [{ host: '' }],
    [{ prot: 1 }],
    [{ interval: 0 }],
    [{ push_url: 'gateway' }],
    [{ push_url: 'http://user:secret@gateway:9091' }],
    [{ push_url: 'http://gateway:9091?a=b' }],
    [{ textfile: 'agent.txt' }],
    [{ usage: { storage: 'disk' } }],
    [{ objectives: { availability: 99.9 } }],
    [{ objectives: { latency_seconds: 5 } }],
  ])('refuses %j', (block) => {
    expect(metricsConfig.safeParse(block).success).toBe(false);
  });
});
