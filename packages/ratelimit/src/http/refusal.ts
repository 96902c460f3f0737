import { type Decision, errorOf } from '../decision.ts';

/** Why a call is denied, as HTTP says it. */
export interface Refusal {
  /** `unavailable`: nobody could decide, and a rule's policy for that is to deny. */
  readonly reason: 'exceeded' | 'never_allowed' | 'unavailable';
  /** 429, 422, 503. */
  readonly status: number;
  readonly message: string;
}

/** Undefined where the call is allowed. */
export function refusalOf(decision: Decision): Refusal | undefined {
  if (decision.allowed) return undefined;
  if (decision.source === 'policy') {
    return { reason: 'unavailable', status: 503, message: 'Limits cannot be checked now. Try again later.' };
  }
  const { status = 429, message = 'Rate limit exceeded.' } = errorOf(decision) ?? {};
  return { reason: status === 422 ? 'never_allowed' : 'exceeded', status, message };
}
