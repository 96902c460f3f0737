import { type Decision, retryAfterSeconds } from '../decision.ts';

/** Field names and values, ready to be set. */
export type RateLimitHeaders = Readonly<Record<string, string>>;

/**
 * The header fields that tell a client about a decision: `X-RateLimit-Limit`, `X-RateLimit-Remaining`, `X-RateLimit-Reset` (Unix time in seconds,
 * rounded up), and `Retry-After` (whole seconds, at least 1) on a denial that waiting can cure. Empty where no enforced rule applies.
 *
 * With several rules the fields are those of the one with the least left in proportion, on a denial of the one with the longest wait.
 */
export function rateLimitHeaders(decision: Decision): RateLimitHeaders {
  if (decision.limit === Number.POSITIVE_INFINITY) return {};
  const seconds = retryAfterSeconds(decision);
  return {
    'X-RateLimit-Limit': String(decision.limit),
    'X-RateLimit-Remaining': String(decision.remaining),
    'X-RateLimit-Reset': String(resetSeconds(decision)),
    ...(seconds !== undefined && { 'Retry-After': String(seconds) }),
  };
}

/** Unix time in whole seconds at which the quota is whole again. */
export function resetSeconds({ resetAtMs }: Decision): number {
  return Math.ceil(resetAtMs / 1_000);
}
