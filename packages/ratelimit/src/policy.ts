/** A limiter as what the boundary to a model plugs in. */
import type { LimitCosts, LimiterPolicy, LimitSubject } from '@sage-adk/core';
import type { ReserveOptions } from './limiter.ts';
import type { Denied, Reservation } from './reservation.ts';

export interface LimiterPolicyOptions extends Pick<
  ReserveOptions,
  'ttlMs' | 'maxHoldMs' | 'onDenied' | 'outputTokenNanoUsd'
> {
  /** With a queue: how long to wait for room. @default 30_000 */
  readonly maxWaitMs?: number;
}

/** What makes reservations: a limiter. */
export interface Reserving {
  reserve(subject: LimitSubject, estimate?: LimitCosts, options?: ReserveOptions): Promise<Reservation | Denied>;
}

/** What waits for reservations: a queue. */
export interface Acquiring {
  acquire(subject: LimitSubject, estimate?: LimitCosts, options?: ReserveOptions): Promise<Reservation | Denied>;
}

/**
 * Makes a policy of a limiter, which answers at once, or of a queue, which waits.
 *
 * @example
 * ```ts
 * const limitedFetch = wrapFetch(fetch, { limiter: limiterPolicy(limiter) });
 * ```
 */
export function limiterPolicy(source: Reserving | Acquiring, options: LimiterPolicyOptions = {}): LimiterPolicy {
  const { maxWaitMs = 30_000, ...common } = options;
  return {
    async reserve(subject, estimate, { signal } = {}) {
      const outcome =
        'acquire' in source
          ? await source.acquire(subject, estimate, { ...common, maxWaitMs, signal })
          : await source.reserve(subject, estimate, { ...common, signal });
      if (!outcome.allowed) return outcome;
      const { outputTokens } = outcome;
      return {
        allowed: true,
        ...(outputTokens !== undefined && { outputTokens }),
        async settle(actual) {
          await outcome.settle(actual);
        },
        async cancel() {
          await outcome.cancel();
        },
      };
    },
  };
}
