import { createBoundary } from './boundary.ts';
import type { Fetch } from './call.ts';
import type { LlmPolicies } from './pipeline.ts';

/**
 * A `fetch` that knows calls of models when it sees them. Give it to any SDK that takes one.
 *
 * A call is a POST whose path is one of OpenAI's (chat completions, completions, responses, embeddings), Anthropic's (messages) or Gemini's (generateContent, interactions), on any
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
  const boundary = createBoundary(policies);
  return (input, init) => boundary(fetch, input, init);
}
