/** Answers a call from an earlier one. What goes out is recorded while its consumer reads it, and kept only where it is whole. */
import { type CachePolicy, current, type Middleware, type Usage } from '@sage-adk/core';
import { recorded } from '../body/recorded.ts';
import type { LlmAnswer } from '../call.ts';
import { endedProgress } from '../body/progress.ts';
import type { FetchCall } from '../request/fetch-call.ts';

/** What a cache is asked for: all that an answer depends on. */
export interface CacheRequest {
  readonly provider: string;
  readonly api: string;
  readonly model: string;
  readonly stream: boolean;
  readonly url: string;
  /** JSON text, as it was sent. */
  readonly body: string;
}

/** What a cache keeps: a whole answer, as plain data. */
export interface CachedAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** JSON, or the events of a stream. */
  readonly body: string;
  readonly model?: string;
  readonly finishReason?: string;
  readonly usage?: Usage;
}

export type AnswerCache = CachePolicy<CacheRequest, CachedAnswer>;

export function cache(policy: AnswerCache): Middleware<FetchCall, LlmAnswer<Response>> {
  return async (call, next) => {
    const { body } = call;
    if (body === undefined) return next(call);
    const live = Promise.withResolvers<LlmAnswer<Response>>();
    let made: Made | undefined;
    const make = async (): Promise<CachedAnswer> => {
      made = await making(next(call));
      if (made.answer === undefined || made.answer.progress.refusal !== undefined) throw uncacheable;
      const kept = recorded(made.answer);
      live.resolve(made.answer);
      return kept;
    };
    const tenant = current()?.tenant;
    const looking = policy.wrap(requestOf(call, body.text), make, {
      ...(tenant !== undefined && { scope: tenant }),
      ...(call.signal !== undefined && { signal: call.signal }),
    });
    try {
      const found = await Promise.race([live.promise, looking.then(({ value, source }) => ({ value, source }))]);
      if ('result' in found) {
        // What becomes of the recording is the cache's own affair.
        looking.catch(() => {});
        return found;
      }
      if (found.source === 'call') return await live.promise;
      void live.promise.then(({ result }) => result.arrayBuffer()).catch(() => {});
      call.report?.free();
      return { result: replayed(found.value, found.source), progress: endedProgress() };
    } catch (error) {
      if (made !== undefined) return answerOf(made);
      // A cache that fails must not fail the call.
      if (call.signal?.aborted === true) throw error;
      return next(call);
    }
  };
}

/** What came of making the call. */
type Made =
  | { readonly answer: LlmAnswer<Response>; readonly error?: never }
  | { readonly answer?: undefined; readonly error: unknown };

async function making(call: Promise<LlmAnswer<Response>>): Promise<Made> {
  try {
    return { answer: await call };
  } catch (error) {
    return { error };
  }
}

function answerOf(made: Made): LlmAnswer<Response> {
  if (made.answer === undefined) throw made.error;
  return made.answer;
}

const uncacheable = new Error('Only whole answers are kept.');

function requestOf({ provider, api, model, stream, input }: FetchCall, body: string): CacheRequest {
  const url = typeof input === 'string' ? input : 'url' in input ? input.url : input.href;
  return { provider, api, model, stream, url, body };
}

/** @see RFC 9211 */
function replayed({ status, headers, body }: CachedAnswer, source: 'cache' | 'stale'): Response {
  const fields = new Headers(headers.map(([name, value]): [string, string] => [name, value]));
  fields.set('cache-status', source === 'stale' ? 'sage-llm; hit; detail=stale' : 'sage-llm; hit');
  return new Response(body, { status, headers: fields });
}
