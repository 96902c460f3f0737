/**
 * The W3C fields between processes: what came with a request becomes the parent of its first span, and the active span goes out with calls.
 */
import { type Context, propagation, trace } from '@opentelemetry/api';
import { formatBaggage, parseBaggage } from './baggage.ts';
import { formatTraceParent, parseTraceParent } from './trace-parent.ts';

export const carrierFields = ['traceparent', 'tracestate', 'baggage'] as const;

/** `context` with what `carrier` says of the caller's trace and baggage. */
export function withRemote(context: Context, carrier: Readonly<Record<string, string>>): Context {
  const {
    traceparent,
    tracestate,
    baggage: field,
  } = carrier as Partial<Record<(typeof carrierFields)[number], string>>;
  const parent = traceparent === undefined ? undefined : parseTraceParent(traceparent, tracestate);
  const baggage = field === undefined ? undefined : parseBaggage(field);
  const withBaggage = baggage === undefined ? context : propagation.setBaggage(context, baggage);
  return parent === undefined ? withBaggage : trace.setSpanContext(withBaggage, parent);
}

/** Writes the span and the baggage of `context` into `carrier`. */
export function writeRemote(context: Context, carrier: Record<string, string>): void {
  const spanContext = trace.getSpanContext(context);
  if (spanContext !== undefined && trace.isSpanContextValid(spanContext)) {
    carrier['traceparent'] = formatTraceParent(spanContext);
    const state = spanContext.traceState?.serialize();
    if (state !== undefined && state !== '') carrier['tracestate'] = state;
  }
  const baggage = propagation.getBaggage(context);
  const field = baggage === undefined ? undefined : formatBaggage(baggage);
  if (field !== undefined) carrier['baggage'] = field;
}
