/** What the process says of itself when somebody asks. */
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Add } from '../instruments/pulled.ts';

export function readEventLoopTime(add: Add<readonly ['state']>): void {
  const { active, idle } = performance.eventLoopUtilization();
  add(active / 1_000, 'active');
  add(idle / 1_000, 'idle');
}

export function readCpu(add: Add<readonly ['mode']>): void {
  const { user, system } = process.cpuUsage();
  add(user / 1e6, 'user');
  add(system / 1e6, 'system');
}

export function readActiveResources(add: Add<readonly ['type']>): void {
  for (const type of process.getActiveResourcesInfo()) add(1, type);
}

export function readHeapUsed(add: Add<readonly []>): void {
  add(getHeapStatistics().used_heap_size);
}

export function readHeapLimit(add: Add<readonly []>): void {
  add(getHeapStatistics().heap_size_limit);
}

export function readExternal(add: Add<readonly []>): void {
  add(getHeapStatistics().external_memory);
}

export function readRss(add: Add<readonly []>): void {
  add(process.memoryUsage.rss());
}

export function readStartTime(add: Add<readonly []>): void {
  add(performance.timeOrigin / 1_000);
}
