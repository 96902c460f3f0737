/** The steps around calls that are made over HTTP: one set of them for each user of {@link createBoundary}, whatever `fetch` a call comes with. */
import { requireNumber } from '@sage-adk/core';
import { relayed } from './body/relayed.ts';
import type { Fetch, LlmAnswer } from './call.ts';
import { localAnswer, tellOuter } from './local/local-answer.ts';
import { cache } from './middleware/cache.ts';
import { createPipeline, type LlmPolicies } from './pipeline.ts';
import { type FetchCall, fieldOf, recognise, toFetchCall } from './request/fetch-call.ts';
import { urlOf } from './request/url.ts';
import { sendByFetch } from './transport.ts';

/** Makes a request by `fetch`, with the steps around it where it is the call of a model. */
export type Boundary = (fetch: Fetch, input: string | URL | Request, init?: RequestInit) => Promise<Response>;

export function createBoundary(policies: LlmPolicies): Boundary {
  const { inputMargin } = policies;
  if (inputMargin !== undefined) requireNumber('inputMargin', inputMargin, 0);
  const call = createPipeline<FetchCall, Response>(policies, {
    send: sendByFetch,
    instead,
    asLast,
    ...(policies.cache !== undefined && { cache: cache(policies.cache) }),
    client: {
      triesBefore,
      sameAs,
      isNext: (one, { tries }) => triesBefore(one) === tries,
      longestWaitMs: () => longestWaitMs,
    },
    maxOutputOf: () => undefined,
  });
  return (fetch, input, init) => {
    const recognised = recognise(input, init);
    if (recognised === undefined) return fetch(input, init);
    const provider = policies.provider ?? recognised.wire.provider;
    const made = toFetchCall(recognised, { fetch, input, init }, provider, inputMargin);
    return made instanceof Promise ? made.then(call) : call(made);
  };
}

/** The answer that says what a local error means. */
function instead(error: unknown): Response {
  const local = localAnswer(error);
  if (local === undefined) throw error;
  tellOuter(error);
  return local;
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

/** To whom, by whom and what: others may ask the same at the same time. */
function sameAs(call: FetchCall): string | undefined {
  const keys = keyFields.map((name) => fieldOf(call, name));
  return call.body && JSON.stringify([urlOf(call.input), keys, call.body.text]);
}

const keyFields = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'];

/** SDKs wait no longer by themselves. */
const longestWaitMs = 8_000;
