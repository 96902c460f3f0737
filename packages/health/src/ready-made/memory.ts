import { getHeapStatistics } from 'node:v8';
import { requireNumber } from '@sage-adk/core';
import type { CheckSpec } from '../checks/spec.ts';
import type { NamedCheck } from './named.ts';

export interface MemoryCheckOptions extends NamedCheck {
  /** Share of the heap's limit in use from which it warns. @default 0.85 */
  readonly warnRatio?: number;
  /** And from which it fails. @default 0.95 */
  readonly failRatio?: number;
  /** Bytes in RAM from which it fails, such as nine tenths of the container's limit. @default no bound */
  readonly maxRssBytes?: number;
}

/** Whether there is memory left for more work. */
export function memoryCheck({
  warnRatio = 0.85,
  failRatio = 0.95,
  maxRssBytes = Number.POSITIVE_INFINITY,
  name = 'memory',
  ...watching
}: MemoryCheckOptions = {}): CheckSpec {
  requireNumber('warnRatio', warnRatio, 0, 1);
  requireNumber('failRatio', failRatio, warnRatio, 1);
  return {
    ...watching,
    name,
    async check() {
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      const rss = process.memoryUsage.rss();
      const detail = `heap ${Math.round((100 * used) / limit)} % of ${megabytes(limit)}, ${megabytes(rss)} in RAM`;
      if (used / limit >= failRatio || rss >= maxRssBytes) return { status: 'fail', detail };
      return { status: used / limit >= warnRatio ? 'warn' : 'pass', detail };
    },
  };
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
