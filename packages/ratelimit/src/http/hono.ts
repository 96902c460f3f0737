/** Limits as a middleware of Hono 4. */
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

/** What is used of Hono's context. */
export interface HonoContext {
  readonly req: { readonly raw: Request; header(name: string): string | undefined };
  res: Response;
}

/** Hono doesn't tell who sent a request, so `subjectOf` is needed, or `trustedProxies` of at least 1. */
export interface HonoLimitOptions<C extends HonoContext = HonoContext> extends LimitOptions<C> {
  /** Answers a denied request; the fields are added. @default sends the denial as it is */
  onDenied?(denial: Denial, context: C): Response | PromiseLike<Response>;
}

/**
 * Makes a middleware that lets a request pass or answers it with 429 and the body of `rateLimitBody`, with 422 where its cost can never fit.
 * What the limiter or a function of the options throws goes to `app.onError`.
 *
 * @example
 * ```ts
 * app.use(rateLimit({ limiter, subjectOf: (c: Context) => addressSubject(getConnInfo(c).remote.address ?? '') }));
 * ```
 */
export function rateLimit<C extends HonoContext = HonoContext>(
  options: HonoLimitOptions<C>,
): (context: C, next: () => Promise<void>) => Promise<Response | void> {
  requireSubject(options);
  const gate = createGate<C, []>(options, {
    peer: () => undefined,
    field: ({ req }, name) => req.header(name),
  });
  return async (context, next) => {
    const admission = await gate(context);
    if (admission === undefined) return next();
    const { fields, denial, reservation } = admission;
    if (denial !== undefined) {
      const answer = options.onDenied?.(denial, context) ?? denialResponse(denial);
      return withFields(await answer, fields);
    }
    if (context.req.raw.signal.aborted) {
      cancel(reservation);
      return goneResponse();
    }
    remember(context, options.limiter, admission);
    try {
      await next();
      const response = settleAfter(withFields(context.res, fields), reservation, context.req.raw);
      if (response !== context.res) context.res = response;
    } catch (error) {
      settle(reservation);
      throw error;
    }
  };
}
