import type { LimitCosts } from '@sage-adk/core';
import { type Decision, errorOf } from './decision.ts';
import type { Lease, Settled } from './lease.ts';
import type { Unit } from './rule.ts';

/** Quota that is taken for a call and settled when it is over. Held until then by heartbeats; a process that dies loses it after the TTL. */
export interface Reservation extends AsyncDisposable {
  readonly allowed: true;
  readonly id: string;
  readonly decision: Decision;
  /** What was granted, where that is less than was asked for. */
  readonly granted: LimitCosts;
  /** The output tokens that were granted, where fewer than asked. */
  readonly outputTokens?: number;
  /** Units that rules count and the estimate said nothing of; a default stands in, if there is one. */
  readonly assumed: readonly Unit[];
  /**
   * Replaces the estimate by what was used, without an argument keeps it. What is not named was used as reserved. Only the first of settle, fail and cancel
   * counts; the others do nothing. More than was reserved is charged all the same and becomes debt.
   */
  settle(used?: LimitCosts): Promise<Settled>;
  /** Gives everything back: the call never started. */
  cancel(): Promise<Settled>;
  /** The call failed after the provider was asked: no output came, the rest counts as used. */
  fail(): Promise<Settled>;
  /** Tells that the provider was asked; from now on a failure no longer costs nothing. */
  contacted(): void;
  /** Takes more, while the call runs. Where that is denied nothing changes. What was reserved before counts as used. */
  charge(more: LimitCosts): Promise<Decision>;
  /** Lets the reservation last `ttlMs` from now. False where it is over. */
  extend(ttlMs: number): Promise<boolean>;
  /** Unless settled: {@link fail} where the provider was asked, else {@link cancel}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A reservation that a limit denied. Nothing was taken. */
export interface Denied {
  readonly allowed: false;
  readonly decision: Decision;
  /** The binding rule. */
  readonly rule: string;
  readonly limit: number;
  readonly remaining: number;
  readonly resetAtMs: number;
  readonly retryAfterMs: number | undefined;
}

export function denied(decision: Decision): Denied {
  const { limit, remaining, resetAtMs, retryAfterMs } = decision;
  const rule = decision.violated[0]?.rule ?? '';
  return { allowed: false, decision, rule, limit, remaining, resetAtMs, retryAfterMs };
}

export interface ReservationFields {
  readonly lease: Lease;
  readonly decision: Decision;
  readonly estimate: LimitCosts | undefined;
  /** Set where less than the estimate was granted. */
  readonly granted: LimitCosts | undefined;
  readonly assumed: readonly Unit[];
  readonly charge: (more: LimitCosts) => Promise<Decision>;
}

/** Makes the handle of a lease, which lives as long as the handle can be reached. */
export function createReservation({
  lease,
  decision,
  estimate,
  granted,
  assumed,
  charge,
}: ReservationFields): Reservation {
  let asked = false;
  const reservation: Reservation = {
    allowed: true,
    id: lease.id,
    decision,
    granted: granted ?? estimate ?? {},
    assumed,
    ...(granted?.outputTokens !== undefined && { outputTokens: granted.outputTokens }),
    settle: (used) => lease.settle(used),
    cancel: () => lease.end(() => 0),
    fail: () => lease.settle(withoutOutput(granted ?? estimate)),
    contacted() {
      asked = true;
    },
    charge,
    extend: (ttlMs) => lease.extend(ttlMs),
    async [Symbol.asyncDispose]() {
      await (asked ? reservation.fail() : reservation.cancel());
    },
  };
  lease.keepFor(reservation);
  return reservation;
}

/** Runs a call within a reservation and settles it, however the call ends. Throws the denial. */
export async function runWithin<T>(
  outcome: Reservation | Denied,
  call: (reservation: Reservation) => Promise<Used<T>>,
): Promise<T> {
  if (!outcome.allowed) throw errorOf(outcome.decision) ?? new TypeError('A denied decision has an error.');
  try {
    const { value, usage } = await call(outcome);
    await outcome.settle(usage);
    return value;
  } catch (error) {
    // What the store says to the end must not hide why the call failed.
    await outcome[Symbol.asyncDispose]().catch(() => {});
    throw error;
  }
}

/** A call's result, and what it used. */
export interface Used<T> {
  readonly value: T;
  /** @default what was reserved */
  readonly usage?: LimitCosts;
}

/** Of the tokens only the input is known to be used; what it cost is not known, so all of it stays. */
function withoutOutput(estimate: LimitCosts | undefined): LimitCosts {
  const inputTokens = estimate?.inputTokens;
  return { outputTokens: 0, ...(inputTokens !== undefined && { inputTokens, tokens: inputTokens }) };
}
