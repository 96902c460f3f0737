/** Limits in front of a `node:http` server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { emit, type LimitCosts, type LimitSubject, requireWhole } from '@sage-adk/core';
import type { Decision } from '../decision.ts';
import type { RateLimiter } from '../limiter.ts';
import { addressSubject, clientAddress, type RequestFrom } from './address.ts';
import { admissionOf, settle } from './admissions.ts';
import { type Denial, denialOf } from './denial.ts';
import { type FieldDialect, fieldsOf } from './fields.ts';
import type { ForwardedField } from './forwarded.ts';
import { createGate, type LimitOptions } from './gate.ts';
import { nodeRequests } from './node-request.ts';
import { sendDenial, stepOf, writeFields } from './node-response.ts';

export { addressSubject, admissionOf, clientAddress, type RequestFrom };
export type { Admission, HoldOptions, HttpLimiter, HttpReservation, LimitOptions } from './gate.ts';
export type { Denial, FieldDialect, ForwardedField };

/** Options of {@link rateLimit}. */
export interface NodeLimitOptions extends LimitOptions<IncomingMessage> {
  /** Answers a denied request; the fields are set already, and a promise is waited for. @default sends the denial as it is */
  onDenied?(denial: Denial, request: IncomingMessage, response: ServerResponse): unknown;
  /**
   * Answers a request about which no decision could be made, or whose denial could not be answered. Where it fails itself, the default does it.
   *
   * @default 500, or the end of the connection where an answer was begun; and the event `error.critical`
   */
  onError?(error: unknown, request: IncomingMessage, response: ServerResponse): unknown;
}

/**
 * Puts a limiter before a request listener: a denied request never reaches it, and is answered with 429 and the body of `rateLimitBody`, with 422
 * where its cost can never fit.
 *
 * Returns a promise of what the listener returns: what it throws is unhandled, as it would be without the limiter.
 *
 * @example
 * ```ts
 * createServer(rateLimit((request, response) => response.end('hello'), { limiter }));
 * ```
 */
export function rateLimit(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
  options: NodeLimitOptions,
): (request: IncomingMessage, response: ServerResponse) => unknown {
  const gate = createGate(options, nodeRequests);
  const enter = async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    try {
      const admission = await gate(request);
      const step = stepOf(request, response, options.limiter, admission);
      writeFields(response, admission?.fields);
      if (step.name === 'deny') {
        if (options.onDenied === undefined) sendDenial(response, step.denial);
        else await options.onDenied(step.denial, request, response);
      }
      return step.name === 'go-on';
    } catch (error) {
      await answerError(error, request, response);
      return false;
    }
  };
  const answerError = async (error: unknown, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (options.onError === undefined) return answerFailure(response, error);
    try {
      await options.onError(error, request, response);
    } catch (failure) {
      answerFailure(response, failure);
    }
  };
  return async (request, response) => {
    if (!(await enter(request, response))) return;
    try {
      await listener(request, response);
    } catch (error) {
      // Nobody may ever end this response.
      settle(admissionOf(request, options.limiter)?.reservation);
      throw error;
    }
  };
}

/** Options of {@link createGuard}. */
export interface NodeGuardOptions {
  readonly limiter: Pick<RateLimiter, 'checkSync'>;
  /** @default 'prd' */
  readonly headers?: FieldDialect;
  /** See `RateLimitFieldOptions`. @default none */
  readonly partitionSecret?: string;
  /** Proxies of yours that every request passes; see {@link clientAddress}. @default 0 */
  readonly trustedProxies?: number;
  /** What they write the client's address to. @default 'x-forwarded-for' */
  readonly forwardedField?: ForwardedField;
}

/**
 * Decides about a request and sets the rate-limit headers on its response. Where the decision is no, it has answered already: 429 with the body of
 * `rateLimitBody`, or 422 where the cost can never fit.
 *
 * @param subject who is limited. @default the client's address
 */
export type Guard = (
  request: IncomingMessage,
  response: ServerResponse,
  subject?: LimitSubject,
  costs?: LimitCosts,
) => Decision;

/**
 * Makes a guard for request listeners, for a limiter that decides at once: its answer is there before the listener goes on.
 *
 * @example
 * ```ts
 * const guard = createGuard({ limiter });
 * createServer((request, response) => {
 *   if (guard(request, response).allowed) response.end('hello');
 * });
 * ```
 */
export function createGuard({
  limiter,
  headers = 'prd',
  partitionSecret,
  trustedProxies = 0,
  forwardedField,
}: NodeGuardOptions): Guard {
  requireWhole('trustedProxies', trustedProxies, 0, 32);
  const byAddress = (request: RequestFrom): LimitSubject =>
    addressSubject(clientAddress(request, trustedProxies, forwardedField));
  return (request, response, subject = byAddress(request), costs) => {
    const decision = limiter.checkSync(subject, costs);
    writeFields(response, fieldsOf(decision, headers, { partitionSecret }));
    const denial = denialOf(decision, request.headers.accept);
    if (denial !== undefined) sendDenial(response, denial);
    return decision;
  };
}

function answerFailure(response: ServerResponse, error: unknown): void {
  emit('error.critical', { source: 'ratelimit', reason: 'no_decision', message: String(error) });
  if (response.headersSent) {
    if (!response.writableEnded) response.destroy();
    return;
  }
  const body = JSON.stringify({ error: 'internal_error', message: 'Something went wrong. Try again later.' });
  response.writeHead(500, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length });
  response.end(body);
}
