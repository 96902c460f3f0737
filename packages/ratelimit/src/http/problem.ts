import { type Decision, errorOf, retryAfterSeconds } from '../decision.ts';

/** A denial as problem details. */
export interface RateLimitProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The rules that said no, the longest wait first. */
  readonly 'violated-policies': readonly string[];
}

/**
 * What a denied client is told who asks for `application/problem+json`; undefined where the call is allowed.
 *
 * A request that waiting cures has the type `quota-exceeded`; one that can never fit is no such thing, and has no type of its own.
 *
 * @see RFC 9457, and draft-ietf-httpapi-ratelimit-headers-11, section 5.1
 */
export function rateLimitProblem(decision: Decision): RateLimitProblem | undefined {
  const error = errorOf(decision);
  if (error === undefined) return undefined;
  const canWait = retryAfterSeconds(decision) !== undefined;
  return {
    type: canWait ? 'https://iana.org/assignments/http-problem-types#quota-exceeded' : 'about:blank',
    title: canWait ? 'Request cannot be satisfied as assigned quota has been exceeded' : 'Unprocessable Content',
    status: error.status,
    detail: error.message,
    'violated-policies': decision.violated.map(({ rule }) => rule),
  };
}
