import { headerOf, isSageError, parseRetryAfter } from '@sage-adk/core';
import { type Classification, meaningOf, type Reason } from './classification.ts';
import { type ErrorFacts, factsOf } from './facts.ts';

/** Says what an error is. */
export interface Classifier {
  classify(error: unknown, options?: ClassifyOptions): Classification;
}

export interface ClassifyOptions {
  /** The caller's signal: an error that is its reason is the caller's own wish. */
  readonly signal?: AbortSignal;
}

/** A reason for errors that the built-in rules don't know; undefined leaves it to them. */
export type ClassifierRule = (error: unknown, facts: ErrorFacts) => Reason | undefined;

export interface ClassifierOptions {
  /** Asked before the built-in rules, in order. */
  readonly rules?: readonly ClassifierRule[];
  /** Wall-clock milliseconds, for waits that are given as a date. */
  readonly now?: () => number;
}

/**
 * A classifier for what fetch, undici, model SDKs and this project throw. It reads shapes, not classes, so it needs none of them.
 */
export function createClassifier({ rules = [], now = Date.now }: ClassifierOptions = {}): Classifier {
  return {
    classify(error, { signal } = {}) {
      const facts = factsOf(error);
      const waitMs = isSageError(error) ? error.retryAfterMs : facts.headers && parseRetryAfter(facts.headers, now());
      const reason = reasonBy(rules, error, facts) ?? builtIn(error, facts, signal);
      const { category, retry } = meaningOf[reason];
      const classification = { category, reason, retry: advised(facts, retry), waitMs, status: facts.status };
      if (!isSageError(error)) return classification;
      const again = error.category === 'transient' && reason !== 'rejected';
      return { ...classification, category: error.category, retry: again ? 'yes' : 'no' };
    },
  };
}

function reasonBy(rules: readonly ClassifierRule[], error: unknown, facts: ErrorFacts): Reason | undefined {
  for (const rule of rules) {
    const reason = rule(error, facts);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function builtIn(error: unknown, facts: ErrorFacts, signal: AbortSignal | undefined): Reason {
  if (isSageError(error)) return sageReason(error.outcome, error.status);
  return (
    ofPolicy(error) ??
    ofAbort(error, facts, signal) ??
    ofCode(facts) ??
    ofStatus(facts.status) ??
    ofSocket(facts) ??
    'unknown'
  );
}

function sageReason(outcome: string, status: number): Reason {
  if (outcome === 'cancelled') return 'caller';
  if (outcome === 'timeout') return 'timeout';
  if (outcome === 'denied') return 'rejected';
  return ofStatus(status) ?? 'unknown';
}

// What cockatiel's breaker and bulkhead throw.
function ofPolicy(error: unknown): Reason | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  return 'isBrokenCircuitError' in error || 'isBulkheadRejectedError' in error ? 'rejected' : undefined;
}

function ofAbort(error: unknown, { name }: ErrorFacts, signal: AbortSignal | undefined): Reason | undefined {
  if (signal?.aborted && (error === signal.reason || /abort/i.test(name))) {
    return (signal.reason as { name?: unknown } | undefined)?.name === 'TimeoutError' ? 'deadline' : 'caller';
  }
  if (name === 'AbortError' || name === 'APIUserAbortError') return 'caller';
  return name === 'TimeoutError' ? 'timeout' : undefined;
}

const reasonByCode: Readonly<Record<string, Reason>> = {
  insufficient_quota: 'quota',
  billing_hard_limit_reached: 'quota',
  billing_not_active: 'quota',
  context_length_exceeded: 'context_length',
  content_filter: 'content_policy',
  content_policy_violation: 'content_policy',
  overloaded_error: 'overloaded',
  rate_limit_error: 'rate_limited',
  rate_limit_exceeded: 'rate_limited',
  api_error: 'server',
  server_error: 'server',
  authentication_error: 'auth',
  permission_error: 'auth',
  invalid_api_key: 'auth',
  invalid_request_error: 'invalid',
  not_found_error: 'not_found',
  model_not_found: 'not_found',
  ECONNREFUSED: 'network',
  ECONNRESET: 'network',
  EPIPE: 'network',
  ENETUNREACH: 'network',
  EHOSTUNREACH: 'network',
  UND_ERR_SOCKET: 'network',
  UND_ERR_CONNECT_TIMEOUT: 'network',
  ETIMEDOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  EAI_AGAIN: 'dns',
  ENOTFOUND: 'config',
  ERR_INVALID_URL: 'config',
};

function ofCode({ code, status, message }: ErrorFacts): Reason | undefined {
  if (code === undefined) return /prompt is too long/i.test(message) ? 'context_length' : undefined;
  if (/^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code)) return 'config';
  // A generic word for a bad request says less than its status, which may be 409 or 429.
  if (code === 'invalid_request_error')
    return /prompt is too long|context length/i.test(message) ? 'context_length' : (ofStatus(status) ?? 'invalid');
  return reasonByCode[code];
}

const reasonByStatus: Readonly<Record<number, Reason>> = {
  401: 'auth',
  402: 'quota',
  403: 'auth',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  413: 'context_length',
  425: 'too_early',
  429: 'rate_limited',
  499: 'caller',
  500: 'server',
  501: 'unsupported',
  502: 'server',
  503: 'overloaded',
  504: 'timeout',
  505: 'unsupported',
  529: 'overloaded',
};

function ofStatus(status: number | undefined): Reason | undefined {
  if (status === undefined) return undefined;
  return reasonByStatus[status] ?? (status >= 500 ? 'server' : status >= 400 ? 'invalid' : undefined);
}

// What fetch throws where the socket said nothing more: "fetch failed" before the answer, "terminated" within it. A port that fetch blocks stays blocked.
function ofSocket({ name, message, root }: ErrorFacts): Reason | undefined {
  if (root === 'bad port') return 'config';
  return name === 'TypeError' && /^(fetch failed|terminated)$/.test(message) ? 'network' : undefined;
}

/** The provider's own word on whether to try again beats what its status suggests. */
function advised({ headers }: ErrorFacts, retry: Classification['retry']): Classification['retry'] {
  const advice = headers && headerOf(headers, 'x-should-retry');
  return advice === 'false' ? 'no' : advice === 'true' ? 'yes' : retry;
}
