import { answerOf } from './answer.ts';
import type { Behaviour } from './behaviour.ts';
import { type ErrorName, errorOfStatus } from './error-name.ts';
import type { Problem } from './read-request.ts';
import {
  type Answer,
  type ErrorReply,
  idOf,
  type Question,
  type StreamFormat,
  type WireEvent,
  type WireFormat,
  type WireRequest,
} from './wire/format.ts';
import { anthropicLimitFields, openaiLimitFields } from './wire/rate-limit-headers.ts';

/** What goes over the wire, before anything breaks it. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** One for an answer that is not streamed. */
  readonly events: Iterable<WireEvent>;
  readonly streamed: boolean;
  /** Undefined for an error. */
  readonly answer: Answer | undefined;
  /** Said by this server itself, so no fault touches it. */
  readonly ownWords?: true;
  /** The error that a behaviour may put in the middle, after so many events. */
  errorEvent(events: number): string;
}

/** One request and all that is known about it. */
export interface Case {
  readonly behaviour: Behaviour;
  readonly format: WireFormat;
  readonly request: WireRequest;
  readonly question: Question;
  readonly serial: number;
  readonly nowMs: number;
}

export function replyOf(asked: Case): Reply {
  const { behaviour, question, request, serial, nowMs } = asked;
  const answer = answerOf(behaviour, question, { serial, createdMs: nowMs, body: request.body });
  const name = errorNameOf(behaviour);
  return name === undefined || behaviour.errorEventAt !== undefined
    ? answerReply(asked, answer)
    : errorReply(asked, answer, name);
}

function errorNameOf({ error, status }: Behaviour): ErrorName | undefined {
  return error ?? (status === undefined ? undefined : errorOfStatus(status));
}

function answerReply(asked: Case, answer: Answer): Reply {
  const { behaviour, format, request } = asked;
  const stream = streamOf(asked);
  const errorEvent = (events: number): string => {
    const error = errorOf(asked, errorNameOf(behaviour) ?? 'overloaded');
    const place = { answer, events, ending: behaviour.errorForm === 'ending' };
    return stream?.error(error, place) ?? JSON.stringify(error.body);
  };
  return {
    status: 200,
    headers: headersOf(asked, stream === undefined ? jsonOf(format) : eventStream),
    events: stream?.events(answer, request) ?? [{ text: format.json(answer, request), content: true }],
    streamed: stream !== undefined,
    answer,
    errorEvent,
  };
}

function errorReply(asked: Case, answer: Answer, name: ErrorName): Reply {
  const error = errorOf(asked, name);
  const status = asked.behaviour.status ?? error.status;
  // Gemini has an error that is no error status; it comes as an answer does.
  const stream = status < 400 ? streamOf(asked) : undefined;
  const isPage = name === 'bad_gateway' || name === 'gateway_timeout';
  const body = isPage ? proxyPage(status) : JSON.stringify(error.body);
  const text = stream?.error(error, { answer, events: 0, ending: false }) ?? body;
  return {
    status,
    headers: headersOf(asked, isPage ? 'text/html' : stream === undefined ? jsonOf(asked.format) : eventStream),
    events: [{ text, content: false }],
    streamed: stream !== undefined,
    answer: undefined,
    errorEvent: () => text,
  };
}

/** Undefined where no stream was asked for, or there is none. */
function streamOf({ format, question }: Case): StreamFormat | undefined {
  return question.stream ? format.stream : undefined;
}

function errorOf({ behaviour, format, question, serial }: Case, name: ErrorName): ErrorReply {
  return format.errors(name, { serial, model: question.model, retryAfterMs: behaviour.retryAfterMs });
}

const eventStream = 'text/event-stream; charset=utf-8';

function jsonOf({ provider }: WireFormat): string {
  return provider === 'gemini' ? 'application/json; charset=UTF-8' : 'application/json';
}

function headersOf({ behaviour, format, serial, nowMs }: Case, type: string): Record<string, string> {
  const { contentType = type, headers = {} } = behaviour;
  const scripted = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    'content-type': contentType,
    ...(type === eventStream && { 'cache-control': 'no-cache' }),
    ...(format.provider !== 'gemini' && ownFields(format, behaviour, { serial, nowMs })),
    ...Object.fromEntries(scripted),
  };
}

function ownFields(
  { provider }: WireFormat,
  { rateLimits = {}, retryAfterMs, shouldRetry }: Behaviour,
  { serial, nowMs }: Pick<Case, 'serial' | 'nowMs'>,
): Record<string, string> {
  const isOpenai = provider === 'openai';
  return {
    [isOpenai ? 'x-request-id' : 'request-id']: idOf('req_', serial),
    ...(isOpenai ? openaiLimitFields(rateLimits) : anthropicLimitFields(rateLimits, nowMs)),
    ...(retryAfterMs !== undefined && { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
    ...(retryAfterMs !== undefined && isOpenai && { 'retry-after-ms': String(retryAfterMs) }),
    ...(shouldRetry !== undefined && { 'x-should-retry': String(shouldRetry) }),
  };
}

/** What this server says itself, readable for the clients of every provider. */
export function problemReply({ status, message }: Problem): Reply {
  const error = { message, type: 'invalid_request_error', param: null, code: null, status: 'INVALID_ARGUMENT' };
  const text = JSON.stringify({ type: 'error', error });
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-should-retry': 'false' },
    events: [{ text, content: false }],
    streamed: false,
    answer: undefined,
    ownWords: true,
    errorEvent: () => text,
  };
}

function proxyPage(status: number): string {
  const title = `${status} ${status === 504 ? 'Gateway Time-out' : 'Bad Gateway'}`;
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`;
}
