/** The `metrics` block of a configuration file. */
import { z } from 'zod';
import type { ListenOptions } from './exposition/listen.ts';

export const metricsConfig = z
  .strictObject({
    enabled: z.boolean().default(true),
    /** Of the listener; 0 takes a free one. */
    port: z.int().min(0).max(65_535).default(9464),
    path: z
      .string()
      .regex(/^\/[^?#]*$/, { error: 'wanted a path that starts with a slash' })
      .default('/metrics'),
    /** Address of the listener: this machine only, unless it is told otherwise. */
    host: z.string().min(1).default('127.0.0.1'),
    interval: z.never({ error: 'is known but not supported yet' }).optional(),
  })
  .prefault({});

export type MetricsConfig = z.output<typeof metricsConfig>;

/** Whether to create metrics at all, and the options of their `listen`. */
export function metricsFromConfig({ enabled, host, port, path }: MetricsConfig): {
  readonly enabled: boolean;
  readonly listen: Required<ListenOptions>;
} {
  return { enabled, listen: { host, port, path } };
}
