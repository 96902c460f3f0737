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
  })
  .prefault({});

export type TracingConfig = z.output<typeof tracingConfig>;

/** The options of `startTracing` that the block asks for; undefined where tracing is off. */
export function tracingFromConfig({
  enabled,
  endpoint,
  service_name: serviceName,
  sampling_rate: samplingRate,
}: TracingConfig): StartTracingOptions | undefined {
  return enabled ? { endpoint, serviceName, samplingRate } : undefined;
}
