/** The block `observability.tracing` of a configuration file. */
import { z } from 'zod';
import type { StartTracingOptions } from './sdk/start-tracing.ts';

export const tracingConfig = z
  .strictObject({
    enabled: z.boolean().default(false),
    /** The OTLP collector, over HTTP. */
    endpoint: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).default('http://127.0.0.1:4318'),
    service_name: z.string().min(1).default('sage-agent'),
    /** Share of new traces that is recorded. */
    sampling_rate: z.number().min(0).max(1).default(1),
    /** Keeps, beyond that share, each trace that fails, violates security, or passes one of these. */
    tail: z
      .strictObject({
        enabled: z.boolean().default(false),
        /** A span of this many milliseconds. */
        slow_ms: z.number().positive().default(5_000),
        /** Calls of models of this cost together, in US dollars. Unset: never. */
        cost_usd: z.number().positive().optional(),
      })
      .prefault({}),
  })
  .prefault({});

export type TracingConfig = z.output<typeof tracingConfig>;

/** The options of `startTracing` that the block asks for; undefined where tracing is off. */
export function tracingFromConfig({
  enabled,
  endpoint,
  service_name: serviceName,
  sampling_rate: samplingRate,
  tail,
}: TracingConfig): StartTracingOptions | undefined {
  if (!enabled) return undefined;
  const { slow_ms: slowMs, cost_usd: costUsd } = tail;
  const rules = { slowMs, ...(costUsd !== undefined && { costUsd }) };
  return { endpoint, serviceName, samplingRate, ...(tail.enabled && { tail: rules }) };
}
