import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import type { Clock } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { createMetrics } from '../../src/index.ts';
import { readSamples, valueIn } from '../support/exposition-text.ts';

describe('the process', () => {
  test('OM5: event loop, memory and active resources are read at scrape', async () => {
    await using metrics = createMetrics();
    await metrics.listen({ port: 0 });
    const text = await metrics.registry.metrics();
    for (const name of ['heap_used_bytes', 'heap_limit_bytes', 'external_bytes', 'rss_bytes', 'start_time_seconds']) {
      expect([name, valueIn(text, `sage_runtime_${name}`)]).toEqual([name, expect.any(Number)]);
    }
    expect(valueIn(text, 'sage_runtime_heap_used_bytes')).toBeGreaterThan(1e6);
    expect(valueIn(text, 'sage_runtime_active_resources', { type: 'TCPServerWrap' })).toBeGreaterThanOrEqual(1);
    for (const state of ['active', 'idle']) {
      expect(valueIn(text, 'sage_runtime_eventloop_seconds_total', { state })).toBeGreaterThanOrEqual(0);
    }
    for (const mode of ['user', 'system']) {
      expect(valueIn(text, 'sage_runtime_cpu_seconds_total', { mode })).toBeGreaterThanOrEqual(0);
    }
  });

  test('a late event loop is seen in its delay', async () => {
    const clock = createFakeClock();
    let lateMs = 0;
    const late: Clock = {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs() + lateMs,
      setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs),
    };
    await using metrics = createMetrics({ clock: late });
    clock.advance(20);
    lateMs = 300;
    clock.advance(20);
    const text = await metrics.registry.metrics();
    expect(valueIn(text, 'sage_runtime_eventloop_delay_seconds_count')).toBe(2);
    expect(valueIn(text, 'sage_runtime_eventloop_delay_seconds_sum')).toBeCloseTo(0.3);
    expect(valueIn(text, 'sage_runtime_eventloop_delay_seconds_bucket', { le: '0.25' })).toBe(1);
    await metrics.close();
    expect(clock.pending).toBe(0);
  });

  test('pauses of the garbage collector are observed by kind', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await using metrics = createMetrics();
    collect();
    await setTimeout(10);
    expect(
      valueIn(await metrics.registry.metrics(), 'sage_runtime_gc_duration_seconds_count', { kind: 'major' }),
    ).toBeGreaterThanOrEqual(1);
  });

  test('is left alone where it is not asked for', async () => {
    await using metrics = createMetrics({ runtime: false });
    const names = readSamples(await metrics.registry.metrics()).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('sage_runtime'))).toEqual([]);
  });
});
