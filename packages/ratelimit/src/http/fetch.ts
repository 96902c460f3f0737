/** Limits around a handler from `Request` to `Response`: route handlers of Next.js, and servers of Bun, Deno and Workers. */
import { addressSubject } from './address.ts';
import { admissionOf, cancel, remember, settle } from './admissions.ts';
import type { Denial } from './denial.ts';
import { createGate, type LimitOptions, requireSubject } from './gate.ts';
import { denialResponse, goneResponse, settleAfter, withFields } from './web-response.ts';

export { addressSubject, admissionOf };
export type { Denial } from './denial.ts';
export type { FieldDialect } from './fields.ts';
export type { ForwardedField } from './forwarded.ts';
export type { Admission, HoldOptions, HttpLimiter, HttpReservation, LimitOptions } from './gate.ts';

/**
 * A `Request` doesn't tell who sent it, so `subjectOf` is needed, or `trustedProxies` of at least 1.
 *
 * `A` is what the runtime passes besides the request, and what `subjectOf`, `costOf` and `skip` get too.
 */
export interface FetchLimitOptions<A extends readonly unknown[] = readonly unknown[]> extends LimitOptions<Request, A> {
  /** Answers a denied request; the fields are added. @default sends the denial as it is */
  onDenied?(denial: Denial, request: Request, ...rest: A): Response | PromiseLike<Response>;
}

/**
 * Puts a limiter before a handler: a denied request never reaches it, and is answered with 429 and the body of `rateLimitBody`, with 422 where its
 * cost can never fit. What the limiter, a function of the options or the handler throws rejects.
 *
 * @example
 * ```ts
 * export const POST = rateLimit(handler, { limiter, trustedProxies: 1 });
 * ```
 */
export function rateLimit<A extends readonly unknown[]>(
  handler: (request: Request, ...rest: A) => Response | PromiseLike<Response>,
  options: FetchLimitOptions<A>,
): (request: Request, ...rest: A) => Promise<Response> {
  requireSubject(options);
  const gate = createGate<Request, A>(options, {
    peer: () => undefined,
    field: ({ headers }, name) => headers.get(name) ?? undefined,
  });
  return async (request, ...rest) => {
    const admission = await gate(request, ...rest);
    if (admission === undefined) return handler(request, ...rest);
    const { fields, denial, reservation } = admission;
    if (denial !== undefined) {
      const answer = options.onDenied?.(denial, request, ...rest) ?? denialResponse(denial);
      return withFields(await answer, fields);
    }
    if (request.signal.aborted) {
      cancel(reservation);
      return goneResponse();
    }
    remember(request, options.limiter, admission);
    try {
      const response = withFields(await handler(request, ...rest), fields);
      return settleAfter(response, reservation, request);
    } catch (error) {
      settle(reservation);
      throw error;
    }
  };
}
