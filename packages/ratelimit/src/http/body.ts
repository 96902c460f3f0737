import { type Decision, errorOf, retryAfterSeconds } from '../decision.ts';
import { resetSeconds } from './headers.ts';

/** The JSON body of a 429. */
export interface RateLimitBody {
  readonly error: 'rate_limit_exceeded' | 'rate_limit_never_allowed';
  readonly message: string;
  /** Seconds. Missing only from `rate_limit_never_allowed`, where waiting cannot help. */
  readonly retry_after?: number;
  readonly limit: number;
  readonly remaining: number;
  /** Unix time in seconds. */
  readonly reset: number;
}

/** What a denied client is told, with the numbers of {@link rateLimitHeaders}; undefined where the call is allowed. */
export function rateLimitBody(decision: Decision): RateLimitBody | undefined {
  const error = errorOf(decision);
  if (error === undefined) return undefined;
  const seconds = retryAfterSeconds(decision);
  return {
    error: seconds === undefined ? 'rate_limit_never_allowed' : 'rate_limit_exceeded',
    message: error.message,
    ...(seconds !== undefined && { retry_after: seconds }),
    limit: decision.limit,
    remaining: decision.remaining,
    reset: resetSeconds(decision),
  };
}
