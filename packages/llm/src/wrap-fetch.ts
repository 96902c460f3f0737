import { requireNumber } from '@sage-adk/core';
import type { Fetch, LlmAnswer } from './call.ts';
import { relayed } from './body/relayed.ts';
import { localAnswer } from './local/local-answer.ts';
import { cache } from './middleware/cache.ts';
import { createPipeline, type LlmPolicies } from './pipeline.ts';
import { type FetchCall, fieldOf, recognise, type Recognised, toFetchCall } from './request/fetch-call.ts';
import { createTransport } from './transport.ts';

/**
 * A `fetch` that knows calls of models when it sees them. Give it to any SDK that takes one.
 *
 * A call is a POST whose path is one of OpenAI's (chat completions, responses, embeddings), Anthropic's (messages) or Gemini's (generateContent), on any
 * host. Each is an `llm.call` operation that lasts until its body was read, and learns tokens, model, finish reason and cost from JSON and from streams.
 * Around it the policies work in one order: observe, cache, reserve, breaker, retry, stall. All other requests pass as they are.
 *
 * What a policy denies is an answer that every SDK understands: 429 where a limit is reached, 422 where waiting cannot help, 503 where the provider rests.
 *
 * @example
 * ```ts
 * const client = new OpenAI({ fetch: wrapFetch(fetch, { limiter, price }), maxRetries: 0 });
 * ```
 */
export function wrapFetch(fetch: Fetch, policies: LlmPolicies = {}): Fetch {
  const call = createPipeline<FetchCall, Response>(policies, {
    send: createTransport(fetch),
    asLast,
    ...(policies.cache !== undefined && { cache: cache(policies.cache) }),
    client: { triesBefore, sameAs: ({ body }) => body?.text },
    maxOutputOf: () => undefined,
  });
  const { inputMargin } = policies;
  if (inputMargin !== undefined) requireNumber('inputMargin', inputMargin, 0);
  const run = async (recognised: Recognised, request: Pick<FetchCall, 'input' | 'init'>): Promise<Response> => {
    try {
      const provider = policies.provider ?? recognised.wire.provider;
      const { result } = await call(await toFetchCall(recognised, request, provider, inputMargin));
      return result;
    } catch (error) {
      const local = localAnswer(error);
      if (local === undefined) throw error;
      return local;
    }
  };
  return (input, init) => {
    const recognised = recognise(input, init);
    return recognised === undefined ? fetch(input, init) : run(recognised, { input, init });
  };
}

/** It was tried as often as that helps; SDKs that try again by themselves are told so. */
function asLast({ result, progress }: LlmAnswer<Response>): LlmAnswer<Response> {
  const headers = new Headers(result.headers);
  headers.set('x-should-retry', 'false');
  return { result: relayed(result, result.body, headers), progress };
}

/** OpenAI's and Anthropic's SDKs say how often they tried. */
function triesBefore(call: FetchCall): number | undefined {
  const field = fieldOf(call, 'x-stainless-retry-count');
  return field !== undefined && /^\d{1,3}$/.test(field) ? Number(field) : undefined;
}
