import type { Clock, LimitCosts, LimitSubject } from '@sage-adk/core';
import type { Decision, RuleState } from './decision.ts';
import type { Denied, Reservation, Used } from './reservation.ts';
import type { RulePatch } from './rule-book.ts';
import type { Rule } from './rule.ts';
import { StoreLimiter } from './store-limiter.ts';
import type { LimiterStore } from './stores/store.ts';

/** Options of {@link createRateLimiter}. */
export interface RateLimiterOptions {
  /** May be empty: then everything is allowed. */
  readonly rules: readonly Rule[];
  /** Where what was used is kept; closed with the limiter. @default in this process */
  readonly store?: LimiterStore;
  /** In this process: most keys remembered for each scope, from 1 to 16,000,000. Further keys share one state until a key is idle. @default 100_000 */
  readonly maxKeys?: number;
  /** What a reservation takes of units that its estimate says nothing of; never more than a limit can admit at all. @default one unit */
  readonly defaultEstimate?: LimitCosts;
  readonly clock?: Clock;
}

/** Decides about calls. One decision carries all its rules and is all-or-nothing: a denial changes nothing. */
export interface RateLimiter extends AsyncDisposable {
  /**
   * Decides and, where all enforced rules allow, charges for good. A call costs one request and nothing of other units unless `costs` says otherwise.
   * Rules of concurrency deny while no slot is free, and none is taken: only a reservation can give it back.
   */
  check(subject: LimitSubject, costs?: LimitCosts): Promise<Decision>;
  /** {@link check} without a promise. Throws `SAGE_RATELIMIT_NOT_SYNC` where the store is not in this process. */
  checkSync(subject: LimitSubject, costs?: LimitCosts): Decision;
  /** What {@link check} would decide. Charges and reports nothing. */
  peek(subject: LimitSubject, costs?: LimitCosts): Promise<Decision>;
  /** Charges for good, whatever the limits say: it has happened. The decision tells which rules it broke. */
  charge(subject: LimitSubject, costs: LimitCosts): Promise<Decision>;
  /** Takes quota and slots that are settled when the call is over. Rejects with the signal's reason when it aborts while waiting for a departure. */
  reserve(subject: LimitSubject, estimate?: LimitCosts, options?: ReserveOptions): Promise<Reservation | Denied>;
  /**
   * Makes `call` within a reservation, and settles with the usage it returns. Where it throws, everything is given back, or the output alone once
   * `reservation.contacted()` was called. Throws `SAGE_RATELIMIT_EXCEEDED` or `SAGE_RATELIMIT_NEVER_ALLOWED` where the reservation is denied.
   */
  run<T>(
    subject: LimitSubject,
    estimate: LimitCosts | undefined,
    call: (reservation: Reservation) => Promise<Used<T>>,
    options?: ReserveOptions,
  ): Promise<T>;
  /**
   * Changes a rule in this process, for one subject where one is given, and its tier where that has limits of its own; `undefined` takes a subject's change
   * back. What was used stays used; only a bucket of one subject starts full. Throws `SAGE_RATELIMIT_UNKNOWN_RULE`, and `SAGE_CORE_INVALID_OPTION` for what
   * the rule or its store cannot have; then nothing is changed.
   */
  set(rule: string, patch: RulePatch, subject?: LimitSubject): void;
  set(rule: string, patch: undefined, subject: LimitSubject): void;
  /** Lowers what is left of rules, as somebody else says who knows of more calls; never raises it. */
  lower(subject: LimitSubject, corrections: readonly Correction[]): Promise<void>;
  /** Makes the subject's quotas whole again. Rules of the scope `global` keep theirs, and slots their holders. */
  reset(subject: LimitSubject): Promise<void>;
  /** What is used now, for operators: one row for each rule and key that is not whole. */
  snapshot(options?: SnapshotOptions): Promise<readonly UsageRow[]>;
  /** The enforced limits that a call would be asked about, with what it costs each; none that it costs nothing. Asks no store. */
  limitsOf(subject: LimitSubject, costs?: LimitCosts): readonly Limit[];
  /** Calls `listener` when something of a rule came back before its time, or the rule was changed. Disposing it ends that. */
  onRelease(listener: (released: readonly Released[]) => void): Disposable;
  /** Closes the store. Later decisions throw `SAGE_RATELIMIT_CLOSED`; reservations can still be settled, which does nothing. */
  close(): Promise<void>;
}

/** How a reservation lasts, waits and gives way. */
export interface ReserveOptions {
  /** How long the reservation lasts when this process dies; while it lives, heartbeats extend it. @default 30_000 */
  readonly ttlMs?: number;
  /** Heartbeats end after so long: a call that never ends must not keep its slot for good. @default 3_600_000 */
  readonly maxHoldMs?: number;
  /** Makes a call that its user repeats return the first reservation instead of taking twice. Any string; others' keys do not count. @default none */
  readonly idempotencyKey?: string;
  /** How long to wait for a departure from a leaky bucket's queue. @default 0 */
  readonly maxWaitMs?: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * What to do when tokens or money do not suffice. `reject` denies. `clamp` takes what is left, and the reservation tells what was granted. A function may
   * return another estimate, another subject (a cheaper model) or undefined to deny; what it returns is tried once. @default 'reject'
   */
  readonly onDenied?:
    | 'reject'
    | 'clamp'
    | ((decision: Decision) => Alternative | undefined | Promise<Alternative | undefined>);
  /** For `clamp`: the price of an output token, so that less money means fewer output tokens. */
  readonly outputTokenNanoUsd?: number;
  /** Reports no denial: for who will try again. @default false */
  readonly quiet?: boolean;
}

/** What to try in place of a reservation that was denied; what is missing stays as it was. */
export interface Alternative {
  readonly subject?: LimitSubject;
  readonly estimate?: LimitCosts;
}

/** What is done to one rule. */
export interface Correction {
  readonly rule: string;
  /** At most so many units are left now. */
  readonly remaining?: number;
  /** No call that the rule applies to is admitted for so long, in milliseconds; in this process only. Calls that run go on. */
  readonly blockMs?: number;
}

/** Options of `snapshot`. */
export interface SnapshotOptions {
  /** Most rows. @default 10_000 */
  readonly limit?: number;
}

/** How much of a rule one key has left. API keys are shown as their hash, all keys of a shared store are. */
export interface UsageRow extends Pick<RuleState, 'rule' | 'unit' | 'scope' | 'limit' | 'remaining' | 'resetAtMs'> {
  readonly key: string;
}

/** A rule that a call is asked about, and what the call costs of it. */
export type Limit = Pick<RuleState, 'rule' | 'unit' | 'key' | 'cost' | 'limit' | 'burst'>;

/** A rule and a key of it, as in `RuleState`; without a key, all of them. */
export type Released = Pick<RuleState, 'rule'> & Partial<Pick<RuleState, 'key'>>;

/**
 * Makes a limiter; without a store it keeps its state in this process.
 *
 * Throws `SAGE_CORE_INVALID_OPTION` for a rule that cannot be. Emits `limiter.denied` for each rule that denies, `budget.exhausted` where that is a rule of
 * cost, and offers its counters as the source `limiter.<kind of store>`.
 *
 * @example
 * ```ts
 * const limiter = createRateLimiter({ rules: [{ name: 'user', scope: 'user', limit: 60, per: 'minute' }] });
 * const { allowed, remaining, retryAfterMs } = limiter.checkSync({ user: 'ada' });
 * ```
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  return new StoreLimiter(options);
}
