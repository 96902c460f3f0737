import { createBoundary } from '../boundary.ts';
import type { Fetch } from '../call.ts';
import type { LlmPolicies } from '../pipeline.ts';

/** A request of Anthropic's SDK, before it is made. */
export interface AnthropicRequest extends RequestInit {
  readonly url: string;
}

/** A middleware for the `middleware` option of Anthropic's SDK. */
export type AnthropicMiddleware = <R extends AnthropicRequest>(
  request: R,
  next: (request: R) => Promise<Response>,
) => Promise<Response>;

/**
 * Puts the policies around each call of Anthropic's SDK, as `wrapFetch` does. It sees the call as Anthropic spells it, also on Bedrock, Vertex and Foundry,
 * where requests on the wire look otherwise; name those by the policy `provider`, since their prices are their own.
 *
 * The SDK's own tries are tries of one call. With a `retry` policy, tell the SDK not to try: `maxRetries: 0`.
 *
 * @example
 * ```ts
 * const client = new Anthropic({ middleware: [createAnthropicMiddleware({ limiter, price })] });
 * ```
 */
export function createAnthropicMiddleware(policies: LlmPolicies = {}): AnthropicMiddleware {
  const boundary = createBoundary(policies);
  return (request, next) => {
    const send: Fetch = (_url, init) => next({ ...request, ...init, headers: fieldsOf(init) });
    return boundary(send, request.url, request);
  };
}

/** The SDK's header fields are always `Headers`. */
function fieldsOf({ headers }: RequestInit = {}): Headers {
  return headers instanceof Headers ? headers : new Headers(headers);
}
