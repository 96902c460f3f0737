/** Where a call leaves for the provider, and how its answer begins. */
import { type AnswerReader, JsonReader, PlainReader } from './body/answer-reader.ts';
import { Exchange, type FailureKind } from './body/exchange.ts';
import { parseJson } from './body/json-text.ts';
import { endedProgress, type Refusal } from './body/progress.ts';
import { SseReader } from './body/stream-reader.ts';
import type { Fetch, LlmAnswer, LlmCall } from './call.ts';
import { errors } from './errors.ts';
import { inBandError, refusalOf } from './failure.ts';
import { localErrorOf } from './local/local-answer.ts';
import { type FetchCall, toRequest } from './request/fetch-call.ts';

/**
 * Makes a call over `fetch`. The answer to a stream is there when its first content is: an error that comes before that is an answer with the status
 * that the provider would have given it, and a stream that breaks or ends before that is an error, so that whoever tries again can.
 */
export function createTransport(fetch: Fetch): (call: FetchCall) => Promise<LlmAnswer<Response>> {
  return async (call) => {
    const response = await sent(call, fetch);
    const localError = localErrorOf(response);
    if (localError !== undefined) throw localError;
    if (!isReadable(response)) return { result: response, progress: endedProgress(plainRefusal(response)) };
    const reader = readerFor(response, call);
    const { signal, watch } = call;
    const failure = (kind: FailureKind): unknown => failureOf(kind, call, reader.problem);
    const exchange = new Exchange({ response, reader, signal, watch, failure });
    const early = reader instanceof SseReader ? await errorBeforeContent(call, exchange, reader) : undefined;
    if (early !== undefined) return toAnswer(early, response);
    if (!response.ok) exchange.refusal = refusalFrom(response, exchange);
    return { result: exchange.relay(), progress: exchange };
  };
}

/** A try is counted by the innermost layer that makes it. One that nobody waited for any more may be billed all the same. */
async function sent(call: FetchCall, fetch: Fetch): Promise<Response> {
  const { report } = call;
  if (report === undefined) return fetch(...toRequest(call));
  const { mark } = report;
  const { attempts } = mark;
  try {
    return await fetch(...toRequest(call));
  } catch (error) {
    if (call.signal?.aborted === true || call.attemptSignal?.aborted === true) report.lost++;
    throw error;
  } finally {
    if (mark.attempts === attempts) mark.attempts = attempts + 1;
  }
}

/** Another fetch may give a body that is none of the standard's. */
function isReadable({ body, bodyUsed, status }: Response): boolean {
  return !bodyUsed && status >= 200 && status <= 599 && (body === null || typeof body.getReader === 'function');
}

function readerFor({ ok, headers }: Response, { wire, stream, asksForUsage }: FetchCall): AnswerReader {
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
async function errorBeforeContent(call: LlmCall, exchange: Exchange, reader: SseReader): Promise<string | undefined> {
  const hasBegun = (): boolean => reader.contents > 0 || reader.finished;
  const isOver = (): boolean => reader.problem !== undefined || reader.isMalformed();
  try {
    await exchange.readAhead(() => hasBegun() || isOver(), mostBytesAhead);
    if (hasBegun() || (exchange.ending === undefined && !isOver())) return undefined;
    exchange.release();
    if (reader.problem === undefined) throw failureOf(reader.isMalformed() ? 'malformed' : 'incomplete', call);
  } catch (error) {
    countLost(call);
    throw error;
  }
  countLost(call);
  return reader.problem;
}

/** Nothing came of a try, but its prompt was read. */
function countLost({ report }: LlmCall): void {
  if (report !== undefined) report.lost++;
}

function failureOf(kind: FailureKind, { provider }: LlmCall, problem?: string): unknown {
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
  return { result, progress: endedProgress({ status, headers: fields, read: async () => body, discard() {} }) };
}

/** Errors in words are a few hundred bytes. */
const mostBytesOfError = 65_536;

function refusalFrom({ status, headers }: Response, exchange: Exchange): Refusal {
  return {
    status,
    headers,
    async read() {
      try {
        await exchange.readAhead(() => false, mostBytesOfError);
      } catch {
        // Whoever reads the body meets the same error.
      }
      return parseJson(exchange.textAhead);
    },
    discard: () => exchange.drop(),
  };
}

function plainRefusal({ ok, status, headers }: Response): Refusal | undefined {
  return ok ? undefined : { status, headers, read: async () => undefined, discard() {} };
}
