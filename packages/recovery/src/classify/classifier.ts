import { headerOf, isSageError, parseRetryAfter, type SageError } from '@sage-adk/core';
import { type Classification, meaningOf, type Reason, type Retriable } from './classification.ts';
import { deepestCause, type ErrorFacts, factsOf } from './facts.ts';
import { byConnection } from './rules/connection.ts';
import { byStatus } from './rules/http.ts';
import { byJsonRpc, type Judgement } from './rules/json-rpc.ts';
import { byPostgres } from './rules/postgres.ts';
import { byProvider, byVagueWord } from './rules/provider.ts';
import { byRedis } from './rules/redis.ts';

/** Says what an error is. Never throws: one that cannot be read is unknown. */
export interface Classifier {
  classify(error: unknown, options?: ClassifyOptions): Classification;
}

export interface ClassifyOptions {
  /** The caller's signal: an error that is its reason is the caller's own wish. */
  readonly signal?: AbortSignal;
}

/** A reason for errors that the built-in rules don't know; undefined leaves it to them. An error for which a rule throws is unknown. */
export type ClassifierRule = (error: unknown, facts: ErrorFacts) => Reason | undefined;

export interface ClassifierOptions {
  /** Asked before the built-in rules, in order. */
  readonly rules?: readonly ClassifierRule[];
  /** Wall-clock milliseconds, for waits that are given as a date. */
  readonly now?: () => number;
}

/**
 * A classifier for what fetch, undici, model SDKs, Redis, PostgreSQL, A2A, MCP and this project throw. It reads shapes, not classes, so it needs none of them.
 */
export function createClassifier({ rules = [], now = Date.now }: ClassifierOptions = {}): Classifier {
  const read = (error: unknown, signal: AbortSignal | undefined): Classification => {
    const facts = factsOf(error);
    const ruled = reasonBy(rules, error, facts);
    const [reason, known] = ruled ?? builtIn(error, facts, signal);
    const { category, retry } = meaningOf[reason];
    const classification = {
      category,
      reason,
      retry: advised(facts, known ?? retry),
      waitMs: waitOf(error, facts, now),
      status: facts.status,
    };
    if (ruled !== undefined || !isSageError(error)) return classification;
    const again = error.category === 'transient' && reason !== 'rejected';
    return { ...classification, category: error.category, retry: again ? carefully(known ?? retry) : 'no' };
  };
  return {
    classify(error, { signal } = {}) {
      try {
        return read(error, signal);
      } catch {
        // An error whose members throw, such as a proxy, tells nothing of itself.
        const reason = signal?.aborted === true && error === signal.reason ? 'caller' : 'unknown';
        return { ...meaningOf[reason], reason, waitMs: undefined, status: undefined };
      }
    },
  };
}

function reasonBy(rules: readonly ClassifierRule[], error: unknown, facts: ErrorFacts): Judgement | undefined {
  for (const rule of rules) {
    const reason = rule(error, facts);
    if (reason !== undefined) return [reason];
  }
  return undefined;
}

/** The most particular word first: an abort, a protocol's or a server's own code, the status, the socket. */
function builtIn(error: unknown, facts: ErrorFacts, signal: AbortSignal | undefined, depth = 0): Judgement {
  if (isSageError(error)) return bySage(error, signal, depth);
  const judgement = byJsonRpc(facts);
  const reason =
    byPolicy(error) ??
    byAbort(error, facts, signal) ??
    judgement?.[0] ??
    byPostgres(facts) ??
    byRedis(facts) ??
    byProvider(facts) ??
    byStatus(facts.status) ??
    byConnection(facts) ??
    byVagueWord(facts) ??
    'unknown';
  return reason === judgement?.[0] ? judgement : [reason];
}

function bySage(
  { category, outcome, status, cause }: SageError,
  signal: AbortSignal | undefined,
  depth: number,
): Judgement {
  // A forged signature is no wrong key: nobody else is asked with it, and somebody is told.
  if (category === 'critical' && (status === 401 || status === 403)) return ['security'];
  if (outcome === 'cancelled') return ['caller'];
  if (outcome === 'timeout') return ['timeout'];
  if (outcome === 'denied') return ['rejected'];
  // What it was made of may say more, such as that a prompt is too long.
  const isTold = cause !== undefined && depth < deepestCause;
  const told: Judgement = isTold ? builtIn(cause, factsOf(cause), signal, depth + 1) : ['unknown'];
  return told[0] === 'unknown' ? [byStatus(status) ?? 'unknown'] : told;
}

/** Transient by its own word, so another try may help; a timeout may have had its effect all the same. */
function carefully(retry: Retriable): Retriable {
  return retry === 'if-idempotent' ? retry : 'yes';
}

// What cockatiel's breaker and bulkhead throw.
function byPolicy(error: unknown): Reason | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  return 'isBrokenCircuitError' in error || 'isBulkheadRejectedError' in error ? 'rejected' : undefined;
}

function byAbort(error: unknown, { name }: ErrorFacts, signal: AbortSignal | undefined): Reason | undefined {
  if (signal?.aborted && (error === signal.reason || /abort/i.test(name))) {
    return (signal.reason as { name?: unknown } | undefined)?.name === 'TimeoutError' ? 'deadline' : 'caller';
  }
  if (name === 'AbortError' || name === 'APIUserAbortError') return 'caller';
  return name === 'TimeoutError' ? 'timeout' : undefined;
}

function waitOf(error: unknown, { headers, answered }: ErrorFacts, now: () => number): number | undefined {
  if (isSageError(error)) return error.retryAfterMs;
  return (headers && parseRetryAfter(headers, now())) ?? answered?.waitMs;
}

/** The provider's own word on whether to try again beats what its status suggests. */
function advised({ headers }: ErrorFacts, retry: Retriable): Retriable {
  const advice = headers && headerOf(headers, 'x-should-retry');
  return advice === 'false' ? 'no' : advice === 'true' ? 'yes' : retry;
}
