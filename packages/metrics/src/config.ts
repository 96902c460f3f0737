/** The `metrics` block of a configuration file. */
import { z } from 'zod';
import type { ListenOptions } from './exposition/listen.ts';
import { isGatewayUrl } from './push/gateway-url.ts';
import { agentRequestDuration } from './table/derived.ts';

const share = z.number().gt(0).lt(1);

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
    /** Seconds between two pushes, two writings of the text file and two readings of the objectives. A scraper has its own. */
    interval: z.number().min(0.1).max(3_600).default(15),
    /** Of a Pushgateway, without credentials; without it nothing is pushed. */
    push_url: z
      .url({ protocol: /^https?$/, abort: true })
      .refine(isGatewayUrl, { error: 'wanted a URL without credentials, query and hash' })
      .optional(),
    /** For the textfile collector of node_exporter; without it none is written. */
    textfile: z
      .string()
      .regex(/\.prom$/, { error: 'wanted a path that ends in .prom' })
      .optional(),
    /** Who used what, by tenant, user, session and model: a report on the listener, at `/usage`. */
    usage: z
      .strictObject({
        enabled: z.boolean().default(false),
        storage: z.enum(['memory', 'redis', 'postgres']).default('memory'),
      })
      .prefault({}),
    /** How objectives stand: a report on the listener, at `/slo`. */
    objectives: z
      .strictObject({
        /** Share of requests that end without an error or a timeout. */
        availability: share.optional(),
        /** Share of good requests that end within `latency_seconds`. */
        latency: share.optional(),
        latency_seconds: z
          .number()
          .refine((seconds) => agentRequestDuration.buckets.includes(seconds), {
            error: `wanted one of ${agentRequestDuration.buckets.join(', ')}`,
          })
          .default(5.12),
        window_days: z.int().min(4).max(365).default(30),
      })
      .prefault({}),
  })
  .prefault({});

export type MetricsConfig = z.output<typeof metricsConfig>;

/** What a block asks for. */
export interface ConfiguredMetrics {
  /** Whether to create metrics at all. */
  readonly enabled: boolean;
  /** Options of their listener. */
  readonly listen: Required<ListenOptions>;
  /** For `createPush`, `createTextfile` and `createSloMonitor`. */
  readonly everyMs: number;
  readonly pushUrl: string | undefined;
  readonly textfile: string | undefined;
  /** Where usage is kept; undefined where it is not. */
  readonly usage: 'memory' | 'redis' | 'postgres' | undefined;
  /** Members that are missing are no objectives. */
  readonly objectives: {
    readonly availability: number | undefined;
    readonly latency: { readonly share: number; readonly withinSeconds: number } | undefined;
    readonly windowDays: number;
  };
}

export function metricsFromConfig(config: MetricsConfig): ConfiguredMetrics {
  const { enabled, host, port, path, interval, push_url: pushUrl, textfile, usage, objectives } = config;
  const { availability, latency: within, latency_seconds: withinSeconds, window_days: windowDays } = objectives;
  const latency = within === undefined ? undefined : { share: within, withinSeconds };
  return {
    enabled,
    listen: { host, port, path },
    everyMs: Math.round(interval * 1_000),
    pushUrl,
    textfile,
    usage: usage.enabled ? usage.storage : undefined,
    objectives: { availability, latency, windowDays },
  };
}
