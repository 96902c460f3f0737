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
    const first = Promise.withResolvers<LlmAnswer<Response> | Found>();
    // Let go of once it was used: the policy waits for the end of an answer, and must not keep alive what nobody reads.
    let waiting: Pick<typeof first, 'resolve' | 'reject'> | undefined = {
      resolve: first.resolve,
      reject: first.reject,
    };
    let made: Made | undefined;
    const make = (): Promise<CachedAnswer> =>
      making(next(call)).then((outcome) => {
        if (outcome.answer === undefined || outcome.answer.progress.refusal !== undefined) {
          made = outcome;
          throw uncacheable;
        }
        const kept = recorded(outcome.answer);
        if (waiting === undefined) void outcome.answer.result.arrayBuffer().catch(() => {});
        else waiting.resolve(outcome.answer);
        waiting = undefined;
        return kept;
      });
    // What becomes of the recording is the cache's own affair.
    policy.wrap(requestOf(call, body.text), make, optionsOf(call)).then(
      (found) => {
        if (found.source === 'call') return;
        waiting?.resolve(found);
        waiting = undefined;
      },
      (error: unknown) => {
        waiting?.reject(error);
        waiting = undefined;
      },
    );
    try {
      const found = await first.promise;
      if ('result' in found) return found;
      call.report?.free();
      return { result: replayed(found), progress: endedProgress() };
    } catch (error) {
      if (made !== undefined) return answerOf(made);
      // A cache that fails must not fail the call.
      if (call.signal?.aborted === true) throw error;
      return next(call);
    }
  };
}

/** What a cache had. */
type Found = Awaited<ReturnType<AnswerCache['wrap']>>;

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

function optionsOf({ signal }: FetchCall): { readonly scope?: string; readonly signal?: AbortSignal } {
  const tenant = current()?.tenant;
  const options: { scope?: string; signal?: AbortSignal } = {};
  if (tenant !== undefined) options.scope = tenant;
  if (signal !== undefined) options.signal = signal;
  return options;
}

function requestOf({ provider, api, model, stream, input }: FetchCall, body: string): CacheRequest {
  const url = typeof input === 'string' ? input : 'url' in input ? input.url : input.href;
  return { provider, api, model, stream, url, body };
}

/** @see RFC 9211 */
function replayed({ value: { status, headers, body }, source }: Found): Response {
  const fields = new Headers(headers.map(([name, value]): [string, string] => [name, value]));
  fields.set('cache-status', source === 'stale' ? 'sage-llm; hit; detail=stale' : 'sage-llm; hit');
  return new Response(body, { status, headers: fields });
}
