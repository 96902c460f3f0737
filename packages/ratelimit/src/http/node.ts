/** Limits in front of a `node:http` server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type LimitCosts, type LimitSubject, requireWhole } from '@sage-adk/core';
import { type Decision, errorOf } from '../decision.ts';
import type { RateLimiter } from '../limiter.ts';
import { clientAddress, type RequestFrom } from './address.ts';
import { rateLimitBody } from './body.ts';
import { rateLimitHeaders } from './headers.ts';

export { clientAddress, type RequestFrom };

export interface GuardOptions {
  readonly limiter: Pick<RateLimiter, 'checkSync'>;
  /** Proxies of yours that every request passes; see {@link clientAddress}. @default 0 */
  readonly trustedProxies?: number;
}

/**
 * Decides about a request and sets the rate-limit headers on its response. Where the decision is no, it has answered already: 429 with the body of
 * {@link rateLimitBody}, or 422 where the cost can never fit.
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
 * Makes a guard for request listeners.
 *
 * @example
 * ```ts
 * const guard = createGuard({ limiter });
 * createServer((request, response) => {
 *   if (guard(request, response).allowed) response.end('hello');
 * });
 * ```
 */
export function createGuard({ limiter, trustedProxies = 0 }: GuardOptions): Guard {
  requireWhole('trustedProxies', trustedProxies, 0, 32);
  return (request, response, subject = addressSubject(request, trustedProxies), costs) => {
    const decision = limiter.checkSync(subject, costs);
    for (const [name, value] of Object.entries(rateLimitHeaders(decision))) response.setHeader(name, value);
    if (!decision.allowed) refuse(response, decision);
    return decision;
  };
}

function addressSubject(request: RequestFrom, trustedProxies: number): LimitSubject {
  return { principal: { kind: 'address', id: clientAddress(request, trustedProxies) } };
}

function refuse(response: ServerResponse, decision: Decision): void {
  const body = JSON.stringify(rateLimitBody(decision));
  response.writeHead(errorOf(decision)?.status ?? 429, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}
