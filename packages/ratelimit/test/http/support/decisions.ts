import type { Decision, RuleState } from '../../../src/index.ts';

export const nowMs = 1_696_809_600_000;

/** A rule after a decision: of a user, 60 a minute, with one call charged. */
export function state(fields: Partial<RuleState> = {}): RuleState {
  return {
    rule: 'user',
    unit: 'requests',
    scope: 'user',
    key: '',
    periodMs: undefined,
    period: '',
    mode: 'enforce',
    allowed: true,
    cost: 1,
    limit: 60,
    burst: 60,
    remaining: 59,
    resetAtMs: nowMs + 1_000,
    retryAfterMs: 0,
    ...fields,
  };
}

/** The decision that these rules make, the first that says no first. */
export function decisionOf(...rules: readonly RuleState[]): Decision {
  const violated = rules.filter(({ allowed, mode }) => !allowed && mode === 'enforce');
  const binding = violated[0] ?? rules[0] ?? state();
  return {
    allowed: violated.length === 0,
    rules,
    violated,
    shadowDenied: rules.filter(({ allowed, mode }) => !allowed && mode === 'shadow'),
    limit: binding.limit,
    remaining: binding.remaining,
    resetAtMs: binding.resetAtMs,
    retryAfterMs: violated.length === 0 ? 0 : binding.retryAfterMs,
    source: 'store',
    degraded: false,
  };
}
