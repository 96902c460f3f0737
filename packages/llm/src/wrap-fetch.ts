import type { Middleware, Named, PricePort } from '@sage-adk/core';
import type { Fetch, LlmAnswer } from './call.ts';
import { isDone, observe } from './middleware/observe.ts';
import { recognise, toFetchCall } from './request/fetch-call.ts';
import { createTransport, type SentCall } from './transport.ts';

/** What happens around each call of a model. Every member is optional. */
export interface LlmPolicies {
  /** What calls cost. Without it, and where it does not know the price, the cost is left out. */
  readonly price?: PricePort;
  /** The name under which calls are reported and priced, for who speaks another provider's API. @default the provider that the path tells */
  readonly provider?: string;
}

/**
 * A `fetch` that knows calls of models when it sees them. Give it to any SDK that takes one.
 *
 * A call is a POST whose path is one of OpenAI's (chat completions, responses, embeddings), Anthropic's (messages) or Gemini's (generateContent), on any
 * host. Each is an `llm.call` operation that lasts until its body was read, and learns tokens, model, finish reason and cost from JSON and from streams.
 * All other requests pass as they are.
 *
 * @example
 * ```ts
 * const client = new OpenAI({ fetch: wrapFetch(fetch) });
 * ```
 */
export function wrapFetch(fetch: Fetch, policies: LlmPolicies = {}): Fetch {
  const call = inOrder(stepsOf(policies), createTransport(fetch));
  const send = async (
    input: Parameters<Fetch>[0],
    init: RequestInit | undefined,
    recognised: NonNullable<ReturnType<typeof recognise>>,
  ) => {
    const provider = policies.provider ?? recognised.wire.provider;
    const { result } = await call(await toFetchCall(recognised, { input, init }, provider));
    return result;
  };
  return (input, init) => {
    const recognised = recognise(input, init);
    return recognised === undefined ? fetch(input, init) : send(input, init, recognised);
  };
}

type Step = Named<Middleware<SentCall, LlmAnswer<Response>>>;

function stepsOf({ price }: LlmPolicies): readonly Step[] {
  const steps = new Set(['observe']);
  return [
    { name: 'observe', middleware: observe({ price, steps }) },
    {
      name: 'begin',
      middleware: (call, next) => (call.report === undefined ? next(call) : call.report.begin(() => next(call))),
    },
  ];
}

/** Each step around the next. One that a layer around does already is left out; `observe` knows that for itself. */
function inOrder(
  steps: readonly Step[],
  last: (call: SentCall) => Promise<LlmAnswer<Response>>,
): (call: SentCall) => Promise<LlmAnswer<Response>> {
  return steps.reduceRight(
    (next, { name, middleware }) =>
      (call) =>
        name !== 'observe' && isDone(call.outer, name) ? next(call) : middleware(call, next),
    last,
  );
}
