/** One JSON object on one line: from a record, or piece by piece where no field replaces another. */
import type { Context, TraceIds } from '@sage-adk/core';
import { type LogLevel, severityOf } from '../level.ts';
import type { LineRecord } from '../record.ts';
import { bitOf, FieldName } from '../serialise/field-names.ts';
import { quoted } from '../serialise/json-text.ts';
import { boundedText, type Fields } from '../serialise/plain.ts';
import { textOf } from '../serialise/readable.ts';
import { timestamp } from '../timestamp.ts';

export function jsonLine(record: LineRecord): string {
  return JSON.stringify(record);
}

/** The fields of a logger, with what its lines need of them. */
export interface Bound {
  /** Already safe to write. */
  readonly fields: Fields;
  readonly names: ReadonlySet<string>;
  readonly text: string;
  /** The fields of the request and of the trace that they replace. */
  readonly bits: number;
}

/** @param fields already safe to write. */
export function boundOf(fields: Fields): Bound {
  const names = Object.keys(fields);
  return {
    fields,
    names: new Set(names),
    text: names.length === 0 ? '' : `,${JSON.stringify(fields).slice(1, -1)}`,
    bits: names.reduce((bits, name) => bits | bitOf(name), 0),
  };
}

export interface LinePieces {
  readonly nowMs: number;
  readonly level: LogLevel;
  readonly message: unknown;
  readonly context: Context | undefined;
  readonly trace: TraceIds | undefined;
  readonly bound: Bound;
  /** The caller's fields, and which of the request's and the trace's they replace. */
  readonly text: string;
  readonly bits: number;
}

/** The line that {@link jsonLine} makes of the same parts, where no field replaces one of the logger. */
export function jsonLineOf({ nowMs, level, message, context, trace, bound, text, bits }: LinePieces): string {
  const replaced = bits | bound.bits;
  // Put together by sums: of each part of a template V8 asks whether it is a text.
  let line = '{"ts":"' + timestamp(nowMs) + headText(level, message);
  if (context !== undefined) line += contextText(context, replaced);
  if (trace !== undefined) line += traceText(trace, replaced);
  return line + bound.text + text + '}';
}

const afterTime: Readonly<Record<LogLevel, string>> = {
  DEBUG: headOf('DEBUG'),
  INFO: headOf('INFO'),
  WARN: headOf('WARN'),
  ERROR: headOf('ERROR'),
  FATAL: headOf('FATAL'),
};

function headOf(level: LogLevel): string {
  return `","level":"${level}","severity_number":${severityOf[level]},"msg":`;
}

let lastLevel: LogLevel;
let lastMessage: unknown = Number.NaN;
let lastHead: string;

/** From the time to the message. */
function headText(level: LogLevel, message: unknown): string {
  if (message !== lastMessage || level !== lastLevel) {
    lastHead = afterTime[level] + messageText(message);
    lastLevel = level;
    // What is said of anything but a text may change; nothing is like NaN.
    lastMessage = typeof message === 'string' ? message : Number.NaN;
  }
  return lastHead;
}

// Most messages are constants.
const knownMessages = new Map<string, string>();
const rememberedMessages = 500;
const longestRemembered = 64;

function messageText(message: unknown): string {
  const text = textOf(message);
  if (text.length > longestRemembered) return quoted(boundedText(text));
  let known = knownMessages.get(text);
  if (known === undefined) {
    known = quoted(text);
    if (knownMessages.size < rememberedMessages) knownMessages.set(text, known);
  }
  return known;
}

const agentId = new FieldName('agent_id', false);
const requestId = new FieldName('request_id', false);
const messageId = new FieldName('message_id', false);
const sessionId = new FieldName('session_id', false);
const userId = new FieldName('user_id', false);
const tenant = new FieldName('tenant', false);
const protocol = new FieldName('protocol', false);

// Written out: reading a member by a name that changes costs as much as the text it gives.
function contextText(context: Context, replaced: number): string {
  return (
    contextField(agentId, context.agentId, replaced) +
    contextField(requestId, context.requestId, replaced) +
    contextField(messageId, context.messageId, replaced) +
    contextField(sessionId, context.sessionId, replaced) +
    contextField(userId, context.userId, replaced) +
    contextField(tenant, context.tenant, replaced) +
    contextField(protocol, context.protocol, replaced)
  );
}

function contextField(name: FieldName, value: string | undefined, replaced: number): string {
  return value === undefined || value === null || (replaced & name.bit) !== 0 ? '' : name.withText(value);
}

const traceIdName = new FieldName('trace_id', false);
const spanIdName = new FieldName('span_id', false);

// Whoever traces gives the same object for all lines of a span.
let lastIds: TraceIds | undefined;
let lastIdsText = '';

function traceText(ids: TraceIds, replaced: number): string {
  if (ids === lastIds && replaced === 0) return lastIdsText;
  const text = traceTextOf(ids, replaced);
  if (replaced === 0) {
    lastIds = ids;
    lastIdsText = text;
  }
  return text;
}

function traceTextOf({ traceId, spanId }: TraceIds, replaced: number): string {
  const trace = (replaced & traceIdName.bit) === 0 ? traceIdName.withText(traceId) : '';
  return (replaced & spanIdName.bit) === 0 ? trace + spanIdName.withText(spanId) : trace;
}
