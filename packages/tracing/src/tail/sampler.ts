/**
 * Records everything, and samples a share: what is recorded and not sampled is what the tail decides about.
 */
import { type Context, trace } from '@opentelemetry/api';
import { isSampledOut } from '../spans/recorder.ts';

/** A sampler of either line of the SDK. */
export interface TailSampler {
  shouldSample(
    context: Context,
    traceId: string,
    spanName: string,
    spanKind: number,
    attributes: object,
    links: object[],
  ): { readonly decision: 0 | 1 | 2 };
  toString(): string;
}

const unrecorded = { decision: 0 } as const;
const recorded = { decision: 1 } as const;
const sampled = { decision: 2 } as const;

export function createTailSampler(samplingRate: number): TailSampler {
  return {
    shouldSample(context, traceId) {
      const parent = trace.getSpan(context);
      const spanContext = parent?.spanContext();
      if (parent === undefined || spanContext === undefined || !trace.isSpanContextValid(spanContext)) {
        return isWithin(samplingRate, traceId) ? sampled : recorded;
      }
      if ((spanContext.traceFlags & 1) === 1) return sampled;
      return isSampledOut(parent) ? unrecorded : recorded;
    },
    toString: () => `TailSampler{${samplingRate}}`,
  };
}

/** Whether a trace is in the share: the arithmetic of the SDK's own ratio sampler, so that agents and log lines with one rate agree. */
export function isWithin(rate: number, traceId: string): boolean {
  let folded = 0;
  for (let at = 0; at < 32; at += 8) folded ^= Number.parseInt(traceId.slice(at, at + 8), 16);
  return folded >>> 0 < Math.floor(rate * 0xffff_ffff);
}
