/**
 * What a line says, as one flat object: when, how much it matters, what, to which request it belongs, and the caller's fields.
 */
import type { Context, TraceIds } from '@sage-adk/core';
import { type LogLevel, severityOf } from './level.ts';
import { contextNames, reserved } from './serialise/field-names.ts';
import { addPlain, boundedText, type Fields } from './serialise/plain.ts';
import { textOf } from './serialise/readable.ts';
import type { Redaction } from './serialise/redaction.ts';
import { timestamp } from './timestamp.ts';

export interface LineRecord {
  /** RFC 3339 in UTC, with milliseconds. */
  readonly ts: string;
  readonly level: LogLevel;
  readonly severity_number: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface LineParts {
  readonly nowMs: number;
  readonly level: LogLevel;
  /** A string, by its type; JavaScript callers may pass anything. */
  readonly message: unknown;
  readonly context: Context | undefined;
  readonly trace: TraceIds | undefined;
  /** Already safe to write. */
  readonly bound: Fields;
  readonly fields: Fields | undefined;
}

/** A field of the caller comes before one of the logger, and that before the request's. */
export function recordOf(parts: LineParts, isSecret: Redaction): LineRecord {
  const { nowMs, level, message, context, trace, bound, fields } = parts;
  const record = {
    ts: timestamp(nowMs),
    level,
    severity_number: severityOf[level],
    msg: boundedText(textOf(message)),
  };
  if (context !== undefined) addContext(record, context);
  if (trace !== undefined) Object.assign(record, { trace_id: trace.traceId, span_id: trace.spanId });
  Object.assign(record, bound);
  if (fields !== undefined) addPlain(record, fields, isSecret, reserved);
  return record;
}

/** The fields of a logger, made safe once for all its lines. */
export function boundFields(bound: Fields, fields: Fields, isSecret: Redaction): Fields {
  const merged: Record<string, unknown> = { ...bound };
  addPlain(merged, fields, isSecret, reserved);
  return merged;
}

function addContext(record: Record<string, unknown>, context: Context): void {
  for (const [name, member] of contextNames) {
    const value = context[member];
    if (value !== undefined && value !== null) record[name] = boundedText(textOf(value));
  }
}
