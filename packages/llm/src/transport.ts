/** Where a call leaves for the provider, and how its answer begins. */
import { JsonReader, PlainReader } from './body/answer-reader.ts';
import type { AnswerReader } from './body/answer-reader.ts';
import { Exchange, type Watch } from './body/exchange.ts';
import type { Progress } from './body/progress.ts';
import { SseReader } from './body/stream-reader.ts';
import type { Fetch, LlmAnswer } from './call.ts';
import { errors } from './errors.ts';
import { inBandError, refusalOf } from './failure.ts';
import { type FetchCall, toRequest } from './request/fetch-call.ts';

/** A call as the last step hands it over. */
export interface SentCall extends FetchCall {
  readonly watch?: Watch;
}

/**
 * Makes a call over `fetch`. The answer to a stream is there when its first content is: an error that comes before that is an answer with the status
 * that the provider would have given it, and a stream that breaks or ends before that is an error, so that whoever tries again can.
 */
export function createTransport(fetch: Fetch): (call: SentCall) => Promise<LlmAnswer<Response>> {
  return async (call) => {
    const response = await counted(call, () => fetch(...toRequest(call)));
    const refusal = response.ok ? {} : { refusal: response };
    if (!isReadable(response)) return { result: response, progress: unseen, ...refusal };
    const reader = readerFor(response, call);
    const { provider, signal, watch } = call;
    const failure = (kind: FailureKind): unknown => failureOf(kind, reader.problem, provider);
    const exchange = new Exchange({ response, reader, signal, watch, failure });
    const early = reader instanceof SseReader ? await errorBeforeContent(exchange, reader) : undefined;
    if (early !== undefined) return toAnswer(early, response);
    return { result: exchange.relay(), progress: exchange, ...refusal };
  };
}

type FailureKind = 'incomplete' | 'malformed' | 'problem';

/** A try is counted by the innermost layer that makes it. */
async function counted<T>({ report }: SentCall, attempt: () => Promise<T>): Promise<T> {
  if (report === undefined) return attempt();
  const { mark } = report;
  const { attempts } = mark;
  try {
    return await attempt();
  } finally {
    if (mark.attempts === attempts) mark.attempts = attempts + 1;
  }
}

/** Another fetch may give a body that is none of the standard's. */
function isReadable({ body, bodyUsed, status }: Response): boolean {
  return !bodyUsed && status >= 200 && status <= 599 && (body === null || typeof body.getReader === 'function');
}

/** Of an answer that nobody can look into. */
const unseen: Progress = {
  facts: () => ({}),
  contents: 0,
  contentBytes: 0,
  firstContentAtMs: undefined,
  ending: { kind: 'done' },
  onEnd: (listener) => listener({ kind: 'done' }),
};

function readerFor({ ok, headers }: Response, { wire, stream, asksForUsage }: SentCall): AnswerReader {
  const type = headers.get('content-type') ?? '';
  if (!ok) return new PlainReader();
  if (/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return new JsonReader(wire);
  const isEvents = stream || /^text\/event-stream\b/i.test(type);
  if (!isEvents || wire.readStream === undefined || /^text\/html\b/i.test(type)) return new PlainReader();
  return new SseReader(wire.readStream(), { hidesExtra: asksForUsage });
}

/** Events that providers send ahead of the first content are far smaller. */
const mostBytesAhead = 262_144;

/** The error that came in place of the first content; rejects where the stream broke or ended there. */
async function errorBeforeContent(exchange: Exchange, reader: SseReader): Promise<string | undefined> {
  await exchange.readAhead(
    () => reader.contents > 0 || reader.finished || reader.problem !== undefined || reader.isMalformed(),
    mostBytesAhead,
  );
  if (reader.contents > 0 || reader.finished) return undefined;
  const { problem } = reader;
  if (problem === undefined && reader.isMalformed()) exchange.fail('malformed');
  if (exchange.ending === undefined) return undefined;
  exchange.release();
  if (problem === undefined && exchange.ending.kind === 'failed') throw exchange.ending.error;
  return problem;
}

function failureOf(kind: FailureKind, problem: string | undefined, provider: string): unknown {
  if (kind === 'malformed') return errors.MALFORMED({ provider });
  if (kind === 'incomplete' || problem === undefined) return errors.INCOMPLETE({ provider });
  const { status, body } = inBandError(problem);
  return refusalOf({ status, headers: {}, body }, provider);
}

/** The answer that the provider would have given, had it known in time. */
function toAnswer(problem: string, { headers }: Response): LlmAnswer<Response> {
  const { status, body } = inBandError(problem);
  const fields = new Headers(headers);
  for (const name of ['content-length', 'content-encoding', 'transfer-encoding']) fields.delete(name);
  fields.set('content-type', 'application/json');
  const result = new Response(JSON.stringify(body), { status, headers: fields });
  return { result, progress: unseen, refusal: { status, headers: fields, body } };
}
