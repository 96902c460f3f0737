import { type Clock, systemClock } from '../clock.ts';
import { type HeaderFields, headerOf } from '../errors/retry-after.ts';
import { shared } from '../shared.ts';
import { type Context, current, remainingMs } from './context.ts';

const requestIdField = 'x-request-id';
const timeoutField = 'x-request-timeout-ms';

/**
 * Writes what the next process needs to belong to this request: its id, the time that is left, and what observers add (`traceparent`).
 *
 * The time is sent as a duration, so clocks need not agree. Works on HTTP headers, A2A metadata and MCP `_meta` alike. Returns the carrier.
 */
export function inject<C extends Record<string, string>>(carrier: C, clock: Clock = systemClock): C {
  const fields: Record<string, string> = carrier;
  const requestId = current()?.requestId;
  if (requestId !== undefined) fields[requestIdField] = requestId;
  const leftMs = remainingMs(clock);
  if (leftMs !== Number.POSITIVE_INFINITY) fields[timeoutField] = String(Math.floor(leftMs));
  for (const observer of shared.observers) {
    try {
      observer.inject?.(fields);
    } catch {
      shared.observerFailures++;
    }
  }
  return carrier;
}

/** Reads what {@link inject} wrote, for `run`. What is malformed is left out: the sender is not trusted. */
export function extract(
  carrier: HeaderFields,
  clock: Clock = systemClock,
): Pick<Context, 'requestId' | 'deadlineMs' | 'carrier'> {
  const requestId = headerOf(carrier, requestIdField);
  const timeout = headerOf(carrier, timeoutField);
  const kept: Record<string, string> = {};
  for (const observer of shared.observers) {
    for (const field of observer.carrierFields ?? []) {
      const value = headerOf(carrier, field);
      if (value !== undefined) kept[field] = value;
    }
  }
  return {
    ...(requestId !== undefined && /^[\x21-\x7e]{1,128}$/.test(requestId) && { requestId }),
    ...(timeout !== undefined && /^\d{1,9}$/.test(timeout) && { deadlineMs: clock.monotonicMs() + Number(timeout) }),
    ...(Object.keys(kept).length > 0 && { carrier: kept }),
  };
}
