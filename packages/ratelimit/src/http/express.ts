/** Limits as a middleware of Express 5 and 4. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { addressSubject } from './address.ts';
import { admissionOf } from './admissions.ts';
import type { Denial } from './denial.ts';
import { createGate, type LimitOptions } from './gate.ts';
import { nodeRequests } from './node-request.ts';
import { sendDenial, stepOf, writeFields } from './node-response.ts';

export { addressSubject, admissionOf };
export type { Denial } from './denial.ts';
export type { FieldDialect } from './fields.ts';
export type { ForwardedField } from './forwarded.ts';
export type { Admission, HoldOptions, HttpLimiter, HttpReservation, LimitOptions } from './gate.ts';

/** What Express calls to go on, with an error to its error handlers. */
export type Next = (error?: unknown) => void;

/** Options of {@link rateLimit}. */
export interface ExpressLimitOptions<R extends IncomingMessage = IncomingMessage> extends LimitOptions<R> {
  /** Answers a denied request; the fields are set already, and a promise is waited for. @default sends the denial as it is */
  onDenied?(denial: Denial, request: R, response: ServerResponse, next: Next): unknown;
}

/**
 * Makes a middleware that lets a request pass or answers it with 429 and the body of `rateLimitBody`, with 422 where its cost can never fit.
 *
 * What the limiter or a function of the options throws goes to the error handlers. The default subject is the address by `trustedProxies`;
 * Express' own setting `trust proxy` is not read.
 *
 * @example
 * ```ts
 * app.use(rateLimit({ limiter, subjectOf: (request) => ({ user: userOf(request) }) }));
 * ```
 */
export function rateLimit<R extends IncomingMessage = IncomingMessage>(
  options: ExpressLimitOptions<R>,
): (request: R, response: ServerResponse, next: Next) => void {
  const gate = createGate<R, []>(options, nodeRequests);
  const enter = async (request: R, response: ServerResponse, next: Next): Promise<boolean> => {
    const admission = await gate(request);
    const step = stepOf(request, response, options.limiter, admission);
    writeFields(response, admission?.fields);
    if (step.name === 'deny') {
      if (options.onDenied === undefined) sendDenial(response, step.denial);
      else await options.onDenied(step.denial, request, response, next);
    }
    return step.name === 'go-on';
  };
  const handle = async (request: R, response: ServerResponse, next: Next): Promise<void> => {
    let goesOn: boolean;
    try {
      goesOn = await enter(request, response, next);
    } catch (error) {
      next(error);
      return;
    }
    if (goesOn) next();
  };
  return (request, response, next) => void handle(request, response, next);
}
