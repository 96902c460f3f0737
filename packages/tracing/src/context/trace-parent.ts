import { createTraceState, isSpanContextValid, type SpanContext } from '@opentelemetry/api';

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * Reads `traceparent` and `tracestate`; undefined where they are malformed, since then a new trace begins.
 *
 * @see https://www.w3.org/TR/trace-context/
 */
export function parseTraceParent(traceParent: string, traceState?: string): SpanContext | undefined {
  const [, version, traceId, spanId, flags, more] = pattern.exec(traceParent) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  // A later version may say more behind the flags, version 00 may not.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  const spanContext: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(traceState !== undefined && { traceState: createTraceState(traceState) }),
  };
  return isSpanContextValid(spanContext) ? spanContext : undefined;
}

/** Writes `traceparent` in version 00. */
export function formatTraceParent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
}
