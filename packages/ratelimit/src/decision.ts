/** What a limiter says about a call: one answer for all its rules. */
import type { SageError } from '@sage-adk/core';
import { errors } from './errors.ts';
import type { Mode, Unit } from './rule.ts';
import type { AnswerSource } from './stores/store.ts';

/**
 * One answer for all rules that apply to a call.
 *
 * Most of it is made when it is read. `JSON.stringify` and `console.log` show all of it; a copy by spread does not.
 */
export interface Decision {
  /** Whether the call may go on. A decision that is not allowed has charged nothing. */
  readonly allowed: boolean;
  /** Every rule that applies. Where none does, the call is allowed and the numbers below are infinite. */
  readonly rules: readonly RuleState[];
  /** Enforced rules that said no, the longest wait first. */
  readonly violated: readonly RuleState[];
  /** Shadow rules that would have said no. They were not charged and change nothing else of the decision. */
  readonly shadowDenied: readonly RuleState[];
  /** Of the binding rule: the violated one with the longest wait, else the enforced one with the least left in proportion. */
  readonly limit: number;
  /** Units of the binding rule that may be spent now, after this decision. */
  readonly remaining: number;
  /** When the binding rule's quota is whole again, in milliseconds of wall-clock time. */
  readonly resetAtMs: number;
  /** Milliseconds, with microseconds as fraction, after which the same call fits. 0 where allowed, undefined where waiting cannot help. */
  readonly retryAfterMs: number | undefined;
  /** Who answered; see {@link AnswerSource}. */
  readonly source: AnswerSource;
  /** Whether somebody else than the store answered, or the answer may be stricter than the rules, as it is for `overflow`. */
  readonly degraded: boolean;
}

/** A rule after a decision. */
export interface RuleState {
  readonly rule: string;
  readonly unit: Unit;
  readonly scope: string;
  readonly mode: Mode;
  readonly allowed: boolean;
  /** What the call asked for. */
  readonly cost: number;
  readonly limit: number;
  /** Undefined for concurrency and calendar months. */
  readonly periodMs: number | undefined;
  /** As the rule names it, such as `minute` or `250ms`; empty for concurrency. */
  readonly period: string;
  /** Whose limit it is, as the limiter names the subject; holds no secret. Empty where all share it. */
  readonly key: string;
  /** Most units at once. */
  readonly burst: number;
  /** Units that may be spent now; never shown above `limit`. */
  readonly remaining: number;
  readonly resetAtMs: number;
  readonly retryAfterMs: number | undefined;
}

/** Whole seconds to wait, as clients are told: rounded up, at least 1. Undefined where the call is allowed or waiting cannot help. */
export function retryAfterSeconds({ allowed, retryAfterMs }: Decision): number | undefined {
  return allowed || retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1_000));
}

/** The error that a denial amounts to, for who wants to throw it; undefined where the call is allowed. */
export function errorOf(decision: Decision): SageError | undefined {
  const [binding] = decision.violated;
  if (binding === undefined || decision.allowed) return undefined;
  const { rule, unit, scope, cost, limit, burst, retryAfterMs } = binding;
  const seconds = retryAfterSeconds(decision);
  if (seconds === undefined) return errors.NEVER_ALLOWED({ rule, unit, scope, cost, limit, burst });
  const wait = seconds === 1 ? '1 second' : `${seconds} seconds`;
  return errors.EXCEEDED({ rule, unit, scope, cost, limit, wait }, { retryAfterMs });
}
