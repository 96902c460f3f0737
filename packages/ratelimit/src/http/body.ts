import { type Decision, retryAfterSeconds } from '../decision.ts';
import { resetSeconds } from './headers.ts';
import { refusalOf } from './refusal.ts';

/** The JSON body of a denial. */
export interface RateLimitBody {
  readonly error: 'rate_limit_exceeded' | 'rate_limit_never_allowed' | 'rate_limit_unavailable';
  readonly message: string;
  /** Seconds. Missing where waiting cannot help, as from `rate_limit_never_allowed`. */
  readonly retry_after?: number;
  readonly limit: number;
  readonly remaining: number;
  /** Unix time in seconds. */
  readonly reset: number;
}

/** What a denied client is told, with the numbers of `rateLimitHeaders`; undefined where the call is allowed. */
export function rateLimitBody(decision: Decision): RateLimitBody | undefined {
  const refusal = refusalOf(decision);
  if (refusal === undefined) return undefined;
  const seconds = retryAfterSeconds(decision);
  return {
    error: `rate_limit_${refusal.reason}`,
    message: refusal.message,
    ...(seconds !== undefined && { retry_after: seconds }),
    limit: decision.limit,
    remaining: decision.remaining,
    reset: resetSeconds(decision),
  };
}
