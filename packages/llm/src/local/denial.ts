import type { LimitDenial, SageError } from '@sage-adk/core';
import { errors } from '../errors.ts';

/** A denial as an error, for who throws it or makes an answer of it. */
export function denialOf({ rule, limit, remaining, resetAtMs, retryAfterMs }: LimitDenial): SageError {
  const details = { rule, limit, remaining, resetAtMs };
  if (retryAfterMs === undefined) return errors.NEVER_ALLOWED(details);
  const seconds = secondsOf(retryAfterMs);
  return errors.LIMITED({ ...details, wait: seconds === 1 ? '1 second' : `${seconds} seconds` }, { retryAfterMs });
}

/** Whole seconds to wait, as clients are told: rounded up, at least 1. */
export function secondsOf(waitMs: number): number {
  return Math.max(1, Math.ceil(waitMs / 1_000));
}
