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
}: HealthConfig): Required<Pick<ProbeListenerOptions, 'port' | 'host' | 'paths'>> {
  return { port, host, paths: { live, ready, startup } };
}
