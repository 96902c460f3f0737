import type { BreakerState } from './state.ts';

/** A breaker as it stands now. */
export interface BreakerSnapshot {
  readonly dependency: string;
  readonly state: BreakerState;
  /** Of the window; slow ones are successes as well. */
  readonly successes: number;
  readonly failures: number;
  readonly slow: number;
  /** Calls of the recovery that are under way. */
  readonly probing: number;
  /** Callers that wait for a permit. */
  readonly waiting: number;
  /** Since the start. */
  readonly rejected: number;
  /** Milliseconds until a try may be let through; 0 where one may now, undefined where it depends on others. */
  readonly retryAfterMs: number | undefined;
}
