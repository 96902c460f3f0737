import type { BreakerPermit, Clock, Random } from '@sage-adk/core';
import { sleep } from '@sage-adk/core/deadline';
import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import { errors } from '../errors.ts';

export interface PermitWait {
  /** 0 asks once. */
  readonly waitMs: number;
  /** On the clock's monotonic time. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

const firstPauseMs = 50;
const longestPauseMs = 400;

/** Asks for a permit until there is one or the wait is over; then throws `SAGE_RECOVERY_BREAKER_OPEN`. */
export async function waitForPermit(breaker: CircuitBreaker, wait: PermitWait): Promise<BreakerPermit> {
  const { clock, random, signal } = wait;
  const lastMs = Math.min(wait.deadlineMs, clock.monotonicMs() + wait.waitMs);
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    const permit = breaker.tryAcquire();
    if (permit !== undefined) return permit;
    const delayMs = pauseMs * (0.5 + random());
    if (breaker.state === 'forced-open' || clock.monotonicMs() + delayMs >= lastMs) throw refusal(breaker);
    await sleep(delayMs, { signal, clock });
  }
}

function refusal(breaker: CircuitBreaker): Error {
  const { dependency, state, retryAfterMs } = breaker.snapshot();
  return errors.BREAKER_OPEN({ dependency, state: state.name }, { retryAfterMs });
}
