/** The block `observability.health` of a configuration file. */
import { z } from 'zod';
import type { ProbeListenerOptions } from './http/listen.ts';

const path = z.string().regex(/^\/[^?#\s]*$/, 'must be a path that begins with a slash');

export const healthConfig = z
  .strictObject({
    enabled: z.boolean().default(true),
    /** 0 takes a free one. */
    port: z.int().min(0).max(65_535).default(8081),
    host: z.string().min(1).default('127.0.0.1'),
    liveness_path: path.default('/health/live'),
    readiness_path: path.default('/health/ready'),
    startup_path: path.default('/health/startup'),
    /** Who serves the probes: a thread of their own, or the main thread. */
    thread: z.enum(['worker', 'main']).default('worker'),
    /** How long the event loop must be blocked before live and ready answer 503; for the thread `worker`. */
    blocked_after_seconds: z.number().min(0.1).max(3_600).default(5),
  })
  .refine(
    ({ liveness_path: live, readiness_path: ready, startup_path: startup }) =>
      new Set([live, ready, startup]).size === 3,
    { error: 'the three paths must differ' },
  )
  .prefault({});

export type HealthConfig = z.output<typeof healthConfig>;

/** Options for `listenForProbes`. */
export function healthFromConfig({
  port,
  host,
  liveness_path: live,
  readiness_path: ready,
  startup_path: startup,
  thread,
  blocked_after_seconds: blockedAfterSeconds,
}: HealthConfig): Required<Omit<ProbeListenerOptions, 'details'>> {
  return { port, host, paths: { live, ready, startup }, thread, blockedAfterMs: blockedAfterSeconds * 1_000 };
}
