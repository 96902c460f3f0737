import { answerOf } from './answer.ts';
import type { Behaviour } from './behaviour.ts';
import { type ErrorName, errorOfStatus } from './error-name.ts';
import type { Problem } from './read-request.ts';
import {
  type Answer,
  type ErrorReply,
  idOf,
  type Question,
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

export interface ReplyContext {
  readonly serial: number;
  readonly nowMs: number;
}

export function replyOf(
  behaviour: Behaviour,
  format: WireFormat,
  { request, question }: { readonly request: WireRequest; readonly question: Question },
  { serial, nowMs }: ReplyContext,
): Reply {
  const { stream } = format;
  const streamed = stream !== undefined && question.stream;
  const fail = (name: ErrorName): ErrorReply =>
    format.errors(name, { serial, model: question.model, retryAfterMs: behaviour.retryAfterMs });
  const answer = answerOf(behaviour, question, { serial, createdMs: nowMs, body: request.body });
  const errorEvent = (events: number): string => {
    const named = behaviour.error ?? (behaviour.status === undefined ? 'overloaded' : errorOfStatus(behaviour.status));
    const ending = behaviour.errorForm === 'ending';
    const error = fail(named);
    return streamed ? stream.error(error, { answer, events, ending }) : JSON.stringify(error.body);
  };
  const fields = (type: string) => ({ 'content-type': type, ...ownFields(format, behaviour, { serial, nowMs }) });

  const name = errorNameOf(behaviour);
  if (name === undefined) {
    const events = streamed ? stream.events(answer, request) : [{ text: format.json(answer, request), content: true }];
    const headers = {
      ...fields(streamed ? eventStream : jsonOf(format)),
      ...(streamed && { 'cache-control': 'no-cache' }),
    };
    return { status: 200, headers: overridden(headers, behaviour), events, streamed, answer, errorEvent };
  }
  const error = fail(name);
  const status = behaviour.status ?? error.status;
  const isPage = name === 'bad_gateway' || name === 'gateway_timeout';
  const isEvent = status < 400 && streamed;
  const text = isPage ? proxyPage(status) : isEvent ? errorText(stream, error, answer) : JSON.stringify(error.body);
  const headers = fields(isPage ? 'text/html' : isEvent ? eventStream : jsonOf(format));
  return {
    status,
    headers: overridden(headers, behaviour),
    events: [{ text, content: false }],
    streamed: isEvent,
    answer: undefined,
    errorEvent,
  };
}

const eventStream = 'text/event-stream; charset=utf-8';

/** The error before any content; undefined where the error comes later, or never. */
function errorNameOf({ error, status, errorEventAt }: Behaviour): ErrorName | undefined {
  if (errorEventAt !== undefined) return undefined;
  return error ?? (status === undefined ? undefined : errorOfStatus(status));
}

function errorText(stream: NonNullable<WireFormat['stream']>, error: ErrorReply, answer: Answer): string {
  return stream.error(error, { answer, events: 0, ending: false });
}

function jsonOf({ provider }: WireFormat): string {
  return provider === 'gemini' ? 'application/json; charset=UTF-8' : 'application/json';
}

function ownFields(
  { provider }: WireFormat,
  { rateLimits = {}, retryAfterMs, shouldRetry }: Behaviour,
  { serial, nowMs }: ReplyContext,
): Record<string, string> {
  if (provider === 'gemini') return {};
  const isOpenai = provider === 'openai';
  return {
    [isOpenai ? 'x-request-id' : 'request-id']: idOf('req_', serial),
    ...(isOpenai ? openaiLimitFields(rateLimits) : anthropicLimitFields(rateLimits, nowMs)),
    ...(retryAfterMs !== undefined && { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
    ...(retryAfterMs !== undefined && isOpenai && { 'retry-after-ms': String(retryAfterMs) }),
    ...(shouldRetry !== undefined && { 'x-should-retry': String(shouldRetry) }),
  };
}

function overridden(fields: Record<string, string>, { contentType, headers = {} }: Behaviour): Record<string, string> {
  const own = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { ...fields, ...(contentType !== undefined && { 'content-type': contentType }), ...own };
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
