import { describe, expect, test } from '@jest/globals';
import { tracingConfig, tracingFromConfig } from '../src/config.ts';

describe('the tracing block', () => {
  test('OC1: tracing is off until it is enabled, and each key has a default', () => {
    expect(tracingFromConfig(tracingConfig.parse({}))).toBeUndefined();
    expect(tracingFromConfig(tracingConfig.parse(undefined))).toBeUndefined();
    expect(tracingFromConfig(tracingConfig.parse({ enabled: true }))).toEqual({
      endpoint: 'http://127.0.0.1:4318',
      serviceName: 'sage-agent',
      samplingRate: 1,
    });
  });

  test('OT1: the keys of the block become options', () => {
    const block = {
      enabled: true,
      endpoint: 'https://otel.example.com/v1/traces',
      service_name: 'weather',
      sampling_rate: 0.1,
    };
    expect(tracingFromConfig(tracingConfig.parse(block))).toEqual({
      endpoint: 'https://otel.example.com/v1/traces',
      serviceName: 'weather',
      samplingRate: 0.1,
    });
  });

  test('OC1: the keys of its tail become the rules of tail sampling, once that is enabled', () => {
    const options = (tail: object) => tracingFromConfig(tracingConfig.parse({ enabled: true, tail }));
    expect(options({ slow_ms: 100, cost_usd: 1 })).not.toHaveProperty('tail');
    expect(options({ enabled: true })).toHaveProperty('tail', { slowMs: 5_000 });
    expect(options({ enabled: true, slow_ms: 100, cost_usd: 1 })).toHaveProperty('tail', { slowMs: 100, costUsd: 1 });
  });

  test.each([
    ['an unknown key', { tail_sampling: true }, ''],
    ['an endpoint that is no URL', { endpoint: 'collector' }, 'endpoint'],
    ['an endpoint that is not HTTP', { endpoint: 'grpc://collector:4317' }, 'endpoint'],
    ['a rate above 1', { sampling_rate: 10 }, 'sampling_rate'],
  ])('refuses %s at its place', (_name, block, path) => {
    const { error } = tracingConfig.safeParse(block);
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });
});
