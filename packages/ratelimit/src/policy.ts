/** A limiter as what the boundary to a model plugs in. */
import type { LimitCosts, LimiterPolicy, LimitGrant, LimitSubject } from '@sage-adk/core';
import type { RateLimiter, ReserveOptions } from './limiter.ts';
import type { Denied, Reservation } from './reservation.ts';

/** As for a reservation. `onDenied` counts in place of what each call says about it. */
export interface LimiterPolicyOptions extends Pick<ReserveOptions, 'ttlMs' | 'maxHoldMs' | 'onDenied'> {
  /** With a queue: how long to wait for room. @default 30_000 */
  readonly maxWaitMs?: number;
}

/** What makes reservations: a limiter. */
export interface Reserving extends Limits {
  reserve(subject: LimitSubject, estimate?: LimitCosts, options?: ReserveOptions): Promise<Reservation | Denied>;
  /** The same without a promise where nobody has to be waited for; asked in its place. */
  reserveNow?(subject: LimitSubject, estimate?: LimitCosts, options?: ReserveOptions): Reserved;
}

/** What waits for reservations: a queue. */
export interface Acquiring extends Limits {
  acquire(subject: LimitSubject, estimate?: LimitCosts, options?: ReserveOptions): Promise<Reservation | Denied>;
}

type Reserved = Reservation | Denied | Promise<Reservation | Denied>;
type Limits = Partial<Pick<RateLimiter, 'limitsOf'>>;

/**
 * Makes a policy of a limiter, which answers at once, or of a queue, which waits.
 *
 * @example
 * ```ts
 * const limitedFetch = wrapFetch(fetch, { limiter: limiterPolicy(limiter) });
 * ```
 */
export function limiterPolicy(source: Reserving | Acquiring, options: LimiterPolicyOptions = {}): LimiterPolicy {
  const { maxWaitMs = 30_000, ...own } = options;
  const { limitsOf } = source;
  const always = 'acquire' in source ? { ...own, maxWaitMs } : own;
  const isSilent = Object.keys(always).length === 0;
  const waits = 'acquire' in source;
  return {
    reserve(subject, estimate, asked = {}) {
      const reserveOptions = isSilent ? asked : { ...asked, ...always };
      const outcome = waits
        ? source.acquire(subject, estimate, reserveOptions)
        : (source.reserveNow?.(subject, estimate, reserveOptions) ?? source.reserve(subject, estimate, reserveOptions));
      return outcome as AsGrant | Denied | Promise<AsGrant | Denied>;
    },
    ...(limitsOf !== undefined && {
      countsCost: (subject: LimitSubject) => limitsOf.call(source, subject, oneNanoUsd).some(isOfMoney),
    }),
  };
}

/** A reservation does what a grant does; what its promises resolve with, nobody reads who knows it as a grant. */
type AsGrant = Reservation & LimitGrant;

const oneNanoUsd: LimitCosts = { requests: 0, costNanoUsd: 1n };

function isOfMoney({ unit }: { readonly unit: string }): boolean {
  return unit === 'cost';
}
