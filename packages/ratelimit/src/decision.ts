/** What a limiter says about a call: one answer for all its rules. */
import type { SageError } from '@sage-adk/core';
import { errors } from './errors.ts';
import type { Mode, Unit } from './rule.ts';
import type { Finding } from './stores/store.ts';

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
  /** `overflow`: the subject had no room of its own and shares a bucket, because `maxKeys` are in use. */
  readonly source: 'store' | 'overflow';
  /** Whether the answer may be stricter than the rules, as it is for `overflow`. */
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
  /** Most units at once. */
  readonly burst: number;
  /** Units that may be spent now; never shown above `limit`. */
  readonly remaining: number;
  readonly resetAtMs: number;
  readonly retryAfterMs: number | undefined;
}

/** Sums up what a store found, with durations as times on the wall clock. */
export function conclude(findings: readonly Finding[], nowMs: number): Decision {
  const rules = findings.map((finding) => toState(finding, nowMs));
  const denied = rules.filter(({ allowed }) => !allowed);
  const violated = denied.filter(({ mode }) => mode === 'enforce').sort((a, b) => waitOf(b) - waitOf(a));
  const binding = violated[0] ?? tightest(rules);
  const overflowed = findings.some((finding) => finding.overflowed);
  return {
    allowed: violated.length === 0,
    rules,
    violated,
    shadowDenied: denied.filter(({ mode }) => mode === 'shadow'),
    limit: binding?.limit ?? Number.POSITIVE_INFINITY,
    remaining: binding?.remaining ?? Number.POSITIVE_INFINITY,
    resetAtMs: binding?.resetAtMs ?? nowMs,
    retryAfterMs: violated.length === 0 ? 0 : binding?.retryAfterMs,
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
  if (binding === undefined) return undefined;
  const { rule, unit, scope, cost, limit, burst, retryAfterMs } = binding;
  const seconds = retryAfterSeconds(decision);
  if (seconds === undefined) return errors.NEVER_ALLOWED({ rule, unit, scope, cost, limit, burst });
  const wait = seconds === 1 ? '1 second' : `${seconds} seconds`;
  return errors.EXCEEDED({ rule, unit, scope, cost, limit, wait }, { retryAfterMs });
}

function toState(finding: Finding, nowMs: number): RuleState {
  const { rule, allowed, cost, remaining, fullAfterUs, retryAfterUs } = finding;
  return {
    rule: rule.name,
    unit: rule.unit,
    scope: rule.scope,
    mode: rule.mode,
    allowed,
    cost,
    limit: rule.limit,
    burst: rule.bucket.burst,
    remaining: Math.min(remaining, rule.limit),
    resetAtMs: nowMs + Math.ceil(fullAfterUs / 1_000),
    retryAfterMs: retryAfterUs === undefined ? undefined : retryAfterUs / 1_000,
  };
}

/** The enforced rule with the least left in proportion. */
function tightest(rules: readonly RuleState[]): RuleState | undefined {
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
