import type { Decision } from '../decision.ts';
import { type Refusal, refusalOf } from './refusal.ts';

/** A denial as problem details. */
export interface RateLimitProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The rules that said no, the longest wait first. */
  readonly 'violated-policies': readonly string[];
}

const registry = 'https://iana.org/assignments/http-problem-types';

// A request that can never fit has exceeded no quota that comes back, and the registry has no type for it.
const kinds: Readonly<Record<Refusal['reason'], { readonly type: string; readonly title: string }>> = {
  exceeded: {
    type: `${registry}#quota-exceeded`,
    title: 'Request cannot be satisfied as assigned quota has been exceeded',
  },
  never_allowed: { type: 'about:blank', title: 'Unprocessable Content' },
  unavailable: {
    type: `${registry}#temporary-reduced-capacity`,
    title: 'Request cannot be satisfied due to temporary server capacity constraints',
  },
};

/**
 * What a denied client is told who asks for `application/problem+json`; undefined where the call is allowed.
 *
 * @see RFC 9457, and draft-ietf-httpapi-ratelimit-headers-11, section 5
 */
export function rateLimitProblem(decision: Decision): RateLimitProblem | undefined {
  const refusal = refusalOf(decision);
  if (refusal === undefined) return undefined;
  const { reason, status, message } = refusal;
  return {
    ...kinds[reason],
    status,
    detail: message,
    'violated-policies': decision.violated.map(({ rule }) => rule),
  };
}
