import { type Fetch, toCall } from './call.ts';
import { observe, type ObserveOptions } from './middleware/observe.ts';

/** What happens around each call of a model. Every member is optional. */
export interface LlmPolicies extends ObserveOptions {}

/**
 * A `fetch` that knows calls of models when it sees them. Give it to any SDK that takes one.
 *
 * A call is a POST whose path is one of OpenAI's (chat completions, responses, embeddings), Anthropic's (messages) or Gemini's (generateContent), on any
 * host. Each is an `llm.call` operation that lasts until its body was read, and learns tokens, model, finish reason and cost from a JSON answer. Streams
 * and all other requests pass as they are. Nothing is thrown that `fetch` would not throw.
 *
 * @example
 * ```ts
 * const client = new OpenAI({ fetch: wrapFetch(fetch) });
 * ```
 */
export function wrapFetch(fetch: Fetch, policies: LlmPolicies = {}): Fetch {
  const observed = observe(policies);
  return (input, init) => {
    const call = toCall(input, init);
    return call === undefined ? fetch(input, init) : observed(call, () => fetch(input, init));
  };
}
