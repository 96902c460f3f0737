/** The `performance` block of a configuration file. */
import { z } from 'zod';
import type { WorkerPoolOptions } from './worker-pool/worker-pool.ts';

const notYet = z.never({ error: 'is known but not supported yet' }).optional();

export const perfConfig = z
  .strictObject({
    concurrency: z
      .strictObject({
        /** Messages that are handled at once. */
        worker_pool_size: z.int().min(1).default(64),
        /** Messages that may wait; one more is answered with 503. */
        queue_size: z.int().min(0).default(1024),
        max_concurrent: notYet,
      })
      .prefault({}),
    connection_pool: notYet,
    cache: notYet,
    profiling: notYet,
  })
  .prefault({});

export type PerfConfig = z.output<typeof perfConfig>;

/** Options for `createWorkerPool`. */
export function perfFromConfig({ concurrency }: PerfConfig): {
  readonly workerPool: Pick<WorkerPoolOptions, 'concurrency' | 'queueSize'>;
} {
  return { workerPool: { concurrency: concurrency.worker_pool_size, queueSize: concurrency.queue_size } };
}
