import type { LimitDenial } from '@sage-adk/core';
import { type Decision, errorOf } from '@sage-adk/ratelimit';
import { errors } from '../errors.ts';

/** What the limits decided, by the error that was made of it. */
const decisions = new WeakMap<Error, Decision>();

/** The error of a decision that said no. Wherever it is caught, {@link decisionOf} has the numbers that a client is told. */
export function refusalOf(decision: Decision): Error {
  const error = errorOf(decision) ?? errors.LIMITED();
  decisions.set(error, decision);
  return error;
}

/** The same for what a policy denied; a limiter's own denials hold their decision. */
export function refusalOfDenial(denial: LimitDenial & { readonly decision?: Decision }): Error {
  const { decision, retryAfterMs } = denial;
  return decision === undefined ? errors.LIMITED({}, { retryAfterMs }) : refusalOf(decision);
}

/** The decision that `error` is about; undefined for any other error. */
export function decisionOf(error: unknown): Decision | undefined {
  return error instanceof Error ? decisions.get(error) : undefined;
}
