/** What a limiter says about a call: one answer for all its rules. */
import type { Clock, SageError } from '@sage-adk/core';
import type { CompiledRule } from './compile.ts';
import { errors } from './errors.ts';
import type { Mode, Unit } from './rule.ts';
import type { OneAnswer } from './stores/memory.ts';
import type { Answer, AnswerSource, Finding } from './stores/store.ts';

/** One answer for all rules that apply to a call. */
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

const none: readonly RuleState[] = Object.freeze([]);

/** Sums up what a store found, with durations as times on the wall clock. */
export function conclude({ allowed, findings, source, atMs }: Answer, clock: Clock): Decision {
  // Loops, and no array where it would be empty: this is the hot path.
  const nowMs = atMs ?? clock.now();
  const rules: RuleState[] = [];
  let violated: RuleState[] | undefined;
  let shadowDenied: RuleState[] | undefined;
  for (const finding of findings) {
    const state = toState(finding, nowMs);
    rules.push(state);
    if (!state.allowed && state.mode === 'enforce') (violated ??= []).push(state);
    else if (!state.allowed) (shadowDenied ??= []).push(state);
  }
  violated?.sort((a, b) => waitOf(b) - waitOf(a));
  const binding = (allowed ? undefined : violated?.[0]) ?? tightest(rules);
  return {
    allowed,
    rules,
    violated: violated ?? none,
    shadowDenied: shadowDenied ?? none,
    limit: binding === undefined ? Number.POSITIVE_INFINITY : binding.limit,
    remaining: binding === undefined ? Number.POSITIVE_INFINITY : binding.remaining,
    resetAtMs: binding === undefined ? nowMs : binding.resetAtMs,
    retryAfterMs: allowed ? 0 : binding?.retryAfterMs,
    source,
    degraded: source === 'overflow' || source === 'local' || source === 'policy',
  };
}

/** {@link conclude} for one rule that a store in this process was asked about. */
export function concludeOne(rule: CompiledRule, key: string, cost: number, answer: OneAnswer): Decision {
  const { waitUs, overflowed, atMs } = answer;
  const retryAfterMs = waitUs === Number.POSITIVE_INFINITY ? undefined : waitUs / 1_000;
  const allowed = waitUs === 0 || rule.mode === 'shadow';
  const state: RuleState = {
    rule: rule.name,
    unit: rule.unit,
    scope: rule.scope,
    mode: rule.mode,
    allowed: waitUs === 0,
    cost,
    limit: rule.limit,
    periodMs: rule.periodMs,
    period: rule.period,
    key,
    burst: rule.burst,
    remaining: Math.min(answer.remaining, rule.limit),
    resetAtMs: atMs + Math.ceil(answer.resetAfterUs / 1_000),
    retryAfterMs,
  };
  const enforced = rule.mode === 'enforce';
  return {
    allowed,
    rules: [state],
    violated: allowed ? none : [state],
    shadowDenied: enforced || waitUs === 0 ? none : [state],
    limit: enforced ? rule.limit : Number.POSITIVE_INFINITY,
    remaining: enforced ? state.remaining : Number.POSITIVE_INFINITY,
    resetAtMs: enforced ? state.resetAtMs : atMs,
    retryAfterMs: allowed ? 0 : retryAfterMs,
    source: overflowed ? 'overflow' : 'store',
    degraded: overflowed,
  };
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

function toState(finding: Finding, nowMs: number): RuleState {
  const { rule, key, allowed, cost, remaining, resetAfterUs, retryAfterUs } = finding;
  return {
    rule: rule.name,
    unit: rule.unit,
    scope: rule.scope,
    mode: rule.mode,
    allowed,
    cost,
    limit: rule.limit,
    periodMs: rule.periodMs,
    period: rule.period,
    key,
    burst: rule.burst,
    remaining: Math.min(remaining, rule.limit),
    resetAtMs: nowMs + Math.ceil(resetAfterUs / 1_000),
    retryAfterMs: retryAfterUs === undefined ? undefined : retryAfterUs / 1_000,
  };
}

/** The enforced rule with the least left in proportion. */
function tightest(rules: readonly RuleState[]): RuleState | undefined {
  if (rules.length === 1 && rules[0]?.mode === 'enforce') return rules[0];
  let found: RuleState | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const state of rules) {
    const share = state.remaining / Math.min(state.limit, state.burst);
    if (state.mode === 'shadow' || share >= least) continue;
    found = state;
    least = share;
  }
  return found;
}

function waitOf({ retryAfterMs = Number.MAX_VALUE }: RuleState): number {
  return retryAfterMs;
}
