import type { Random } from '@sage-adk/core';

/** Whether a line of this trace is kept. */
export type Sampler = (traceId: string | undefined) => boolean;

/**
 * Keeps a share of traces rather than of lines: a trace has all its lines or none, in every service that uses the same rate.
 *
 * The decision is that of OpenTelemetry's `TraceIdRatioBasedSampler`, so with the tracer's rate the kept lines are those of the kept traces.
 * Without a trace it is left to chance.
 *
 * @param rate from 0 to 1.
 */
export function createSampler(rate: number, random: Random): Sampler {
  if (rate === 1) return () => true;
  if (rate === 0) return () => false;
  const bound = Math.floor(rate * 0xffffffff);
  return (traceId) => (traceId === undefined ? random() < rate : foldedTraceId(traceId) < bound);
}

/** The four 32-bit words of a trace id folded into one. */
function foldedTraceId(traceId: string): number {
  let folded = 0;
  for (let at = 0; at < 32; at += 8) folded ^= Number.parseInt(traceId.slice(at, at + 8), 16);
  return folded >>> 0;
}
