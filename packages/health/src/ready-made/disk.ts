import { statfs } from 'node:fs/promises';
import { requireNumber } from '@sage-adk/core';
import type { CheckSpec } from '../checks/spec.ts';
import type { NamedCheck } from './named.ts';

export interface DiskCheckOptions extends NamedCheck {
  /** Any file or folder of the file system. */
  readonly path: string;
  /** Share of the file system that is free below which it warns. @default 0.1 */
  readonly warnFreeRatio?: number;
  /** And below which it fails. @default 0.02 */
  readonly failFreeRatio?: number;
}

/** Whether there is space left where files are written, for a user without special rights. */
export function diskCheck({
  path,
  warnFreeRatio = 0.1,
  failFreeRatio = 0.02,
  name = 'disk',
  ...watching
}: DiskCheckOptions): CheckSpec {
  requireNumber('warnFreeRatio', warnFreeRatio, 0, 1);
  requireNumber('failFreeRatio', failFreeRatio, 0, warnFreeRatio);
  return {
    ...watching,
    name,
    async check() {
      const { bavail, blocks, bsize } = await statfs(path);
      const free = blocks === 0 ? 0 : bavail / blocks;
      const detail = `${(100 * free).toFixed(1)} % free, ${((bavail * bsize) / 1e9).toFixed(1)} GB`;
      if (free < failFreeRatio) return { status: 'fail', detail };
      return { status: free < warnFreeRatio ? 'warn' : 'pass', detail };
    },
  };
}
