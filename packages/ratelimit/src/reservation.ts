import type { LimitCosts, LimitSubject } from '@sage-adk/core';
import { type Concluded, conclude } from './conclusion.ts';
import { inputOf } from './costs.ts';
import { type Decision, errorOf } from './decision.ts';
import { assumedUnits } from './estimate.ts';
import type { Lease, LeaseOrder, Settled } from './lease.ts';
import type { Unit } from './rule.ts';
import type { Answer, Ask } from './stores/store.ts';

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
   * counts; the others do nothing. More than was reserved is charged all the same and becomes debt. Rejects for what is no cost, and keeps the estimate.
   */
  settle(used?: LimitCosts): Promise<Settled>;
  /** Gives everything back: the call never started. */
  cancel(): Promise<Settled>;
  /** The call failed after the provider was asked: no output came, the rest counts as used; of tokens that nobody told apart, all. */
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

/** What a request came to. */
export type Outcome = LeasedReservation | Refusal;

/** {@link Denied}, for who reports it. */
export interface Refusal extends Denied {
  readonly decision: Concluded;
}

export function denied(decision: Concluded): Refusal {
  const { limit, remaining, resetAtMs, retryAfterMs } = decision;
  const rule = decision.violated[0]?.rule ?? '';
  return { allowed: false, decision, rule, limit, remaining, resetAtMs, retryAfterMs };
}

/** What was asked for, and in the numbers of a store. */
export interface Order extends LeaseOrder {
  readonly subject: LimitSubject;
  /** As the caller gave it. */
  readonly estimate: LimitCosts | undefined;
  /** The estimate with its defaults. */
  readonly whole: LimitCosts;
  /** Set where it is less than what was asked for first. */
  readonly granted: LimitCosts | undefined;
}

/** The handle of a lease, which lives as long as the handle can be reached. What few read is made when it is read. */
export class LeasedReservation implements Reservation {
  readonly allowed = true;
  readonly granted: LimitCosts;
  readonly outputTokens?: number;
  /** Of the store, which says when it was given. */
  readonly answer: Answer;
  readonly #lease: Lease;
  readonly #order: Order;
  #decision: Decision | undefined;
  #contacted = false;

  constructor(lease: Lease, order: Order, answer: Answer) {
    const { granted } = order;
    this.#lease = lease;
    this.#order = order;
    this.answer = answer;
    this.granted = granted ?? order.whole;
    if (granted?.outputTokens !== undefined) this.outputTokens = granted.outputTokens;
    lease.keepFor(this);
  }

  get id(): string {
    return this.#lease.id;
  }

  get decision(): Decision {
    return (this.#decision ??= conclude(this.answer, this.#lease.lessor.clock));
  }

  get assumed(): readonly Unit[] {
    const { asks, estimate } = this.#order;
    return assumedUnits(asks, estimate);
  }

  settle(used?: LimitCosts): Promise<Settled> {
    return this.#lease.settle(used);
  }

  cancel(): Promise<Settled> {
    return this.#lease.cancel();
  }

  fail(): Promise<Settled> {
    const lease = this.#lease;
    return lease.settle((reserved) => withoutOutput(reserved, inputOf(this.granted) + lease.inputCharged));
  }

  contacted(): void {
    this.#contacted = true;
  }

  charge(more: LimitCosts): Promise<Decision> {
    return this.#lease.charge(this.#order.subject, more);
  }

  extend(ttlMs: number): Promise<boolean> {
    return this.#lease.extend(ttlMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (this.#contacted ? this.fail() : this.cancel());
  }
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
function withoutOutput({ rule, cost }: Ask, inputTokens: number): number {
  switch (rule.unit) {
    case 'output_tokens':
      return 0;
    case 'tokens':
      return Math.min(cost, inputTokens);
    default:
      return cost;
  }
}
