/** Where a call leaves over `fetch`, and how its answer begins. */
import { type AnswerReader, JsonReader, mostBytesOfRefusal, PlainReader, RefusalReader } from './body/answer-reader.ts';
import { Exchange } from './body/exchange.ts';
import type { FailureKind } from './body/exchange-options.ts';
import { endedProgress, type Refusal } from './body/progress.ts';
import { SseReader } from './body/stream-reader.ts';
import { tapped } from './body/tapped.ts';
import { UnnamedReader } from './body/unnamed-reader.ts';
import type { LlmAnswer } from './call.ts';
import { inBandError, refusalOf } from './failure.ts';
import { localErrorOf } from './local/local-answer.ts';
import { refusesCapName } from './request/cap-name.ts';
import { type FetchCall, toRequest } from './request/fetch-call.ts';
import { refusesUsage } from './request/usage-asked.ts';
import { brokenOff, failedBeforeContent, sent } from './sending.ts';

/**
 * Makes a call over `fetch`. The answer to a stream is there when its first content is: an error that comes before that is an answer with the status
 * that the provider would have given it, and a stream that breaks or ends before that is an error, so that whoever tries again can.
 */
export function sendByFetch(call: FetchCall): Promise<LlmAnswer<Response>> {
  return sent(call, send, answered);
}

function send(call: FetchCall): Promise<Response> {
  const [input, init] = toRequest(call);
  return call.fetch(input, init);
}

function answered(call: FetchCall, response: Response): LlmAnswer<Response> | Promise<LlmAnswer<Response>> {
  // Each is asked for once: what looks like a field of a response is a function.
  const { body, status } = response;
  const localError = status < 400 ? undefined : localErrorOf(response);
  if (localError !== undefined) {
    call.watch?.ended();
    throw localError;
  }
  if (!isReadable(body) || status < 200 || status > 599 || response.bodyUsed) {
    call.watch?.ended();
    return { result: response, progress: endedProgress(plainRefusal(response)) };
  }
  if (status > 299) return refused(call, response);
  const reader = readerFor(response.headers.get('content-type') ?? '', call);
  const exchange = exchangeOf(call, body, reader);
  if (reader instanceof SseReader) return begun(call, response, exchange, reader);
  call.watch?.contentEnded();
  return { result: tapped(response, exchange), progress: exchange };
}

/** Another fetch may give one that is none of the standard's. */
function isReadable(body: Response['body']): boolean {
  return body === null || typeof body.getReader === 'function';
}

async function refused(call: FetchCall, response: Response): Promise<LlmAnswer<Response>> {
  if (call.asksForUsage && (await refusesUsage(response, call.input))) {
    return sendByFetch({ ...call, asksForUsage: false });
  }
  if (await refusesCapName(response, call)) return sendByFetch(call);
  call.watch?.contentEnded();
  const reader = new RefusalReader();
  const exchange = exchangeOf(call, response.body, reader);
  exchange.refusal = refusalFrom(response, exchange, reader);
  return { result: tapped(response, exchange), progress: exchange };
}

async function begun(
  call: FetchCall,
  response: Response,
  exchange: Exchange,
  reader: SseReader,
): Promise<LlmAnswer<Response>> {
  const isEnough = reaches(mostBytesAhead, exchange.ahead);
  if (await failedBeforeContent(call, exchange, reader, isEnough)) return toAnswer(reader.problem ?? '', response);
  return { result: tapped(response, exchange), progress: exchange };
}

function exchangeOf(call: FetchCall, body: Response['body'], reader: AnswerReader): Exchange {
  const { signal, caller, watch } = call;
  const failure = (kind: FailureKind): unknown => failureOf(kind, call, reader.problem);
  return new Exchange({ body, reader, signal, caller, watch, failure });
}

function readerFor(type: string, { wire, stream, choices, asksForUsage, watch }: FetchCall): AnswerReader {
  if (type !== latest.type) latest = { type, format: formatOf(type) };
  const { format } = latest;
  if (format === 'json') return new JsonReader(wire);
  const isEvents = format === 'events' || (stream && format !== 'page');
  if (!isEvents || wire.readStream === undefined) return new PlainReader();
  const hides = { hidesExtra: asksForUsage };
  const events = wire.readStream(choices);
  if (format === 'events') return new SseReader(events, hides);
  return new UnnamedReader(wire, events, hides, () => watch?.contentEnded());
}

type Format = 'json' | 'events' | 'page' | 'other';

/** A process is answered in one or two types. */
let latest: { readonly type: string; readonly format: Format } = { type: '', format: 'other' };

function formatOf(type: string): Format {
  if (/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return 'json';
  if (/^text\/event-stream\b/i.test(type)) return 'events';
  return /^text\/html\b/i.test(type) ? 'page' : 'other';
}

/** Events that providers send ahead of the first content are far smaller. */
const mostBytesAhead = 262_144;

/** Whether so many bytes are there. */
function reaches(bytes: number, chunks: readonly Uint8Array[]): () => boolean {
  let seen = 0;
  let size = 0;
  return () => {
    for (; seen < chunks.length; seen++) size += chunks[seen]?.length ?? 0;
    return size >= bytes;
  };
}

function failureOf(kind: FailureKind, call: FetchCall, problem: unknown): unknown {
  if (kind !== 'problem') return brokenOff(kind, call);
  if (typeof problem !== 'string') return brokenOff('incomplete', call);
  const { status, body } = inBandError(problem);
  return refusalOf({ status, headers: {}, body }, call.provider);
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

function refusalFrom({ status, headers }: Response, exchange: Exchange, reader: RefusalReader): Refusal {
  return {
    status,
    headers,
    get body() {
      return reader.json;
    },
    async read() {
      try {
        await exchange.readAhead(reaches(mostBytesOfRefusal, exchange.ahead));
      } catch {
        // Whoever reads the body meets the same error.
      }
      return reader.json;
    },
    discard: () => exchange.drop(),
  };
}

function plainRefusal({ ok, status, headers }: Response): Refusal | undefined {
  return ok ? undefined : { status, headers, read: async () => undefined, discard() {} };
}
