import { type Clock, emit, type LimitCosts, type LimitSubject, source, systemClock } from '@sage-adk/core';
import { costIn } from './costs.ts';
import { conclude, type Decision, type RuleState } from './decision.ts';
import { errors } from './errors.ts';
import { compileRules, type RuleGroup } from './rule-book.ts';
import type { Rule } from './rule.ts';
import { createMemoryStore } from './stores/memory.ts';
import type { Ask, Holding } from './stores/store.ts';

export interface RateLimiterOptions {
  /** May be empty: then everything is allowed. */
  readonly rules: readonly Rule[];
  /** Most keys remembered for each scope, from 1 to 16,000,000. Further keys share one bucket until a key is idle. @default 100_000 */
  readonly maxKeys?: number;
  readonly clock?: Clock;
}

/** Decides about calls. One decision carries all its rules and is all-or-nothing: a denial changes nothing. */
export interface RateLimiter extends AsyncDisposable {
  /** Decides and, where all enforced rules allow, charges. A call costs one request unless `costs` says otherwise. */
  check(subject: LimitSubject, costs?: LimitCosts): Promise<Decision>;
  /** {@link check} without a promise. */
  checkSync(subject: LimitSubject, costs?: LimitCosts): Decision;
  /** What {@link check} would decide. Charges and reports nothing. */
  peek(subject: LimitSubject, costs?: LimitCosts): Promise<Decision>;
  /** Makes the subject's quotas whole again. Rules of the scope `global` keep theirs. */
  reset(subject: LimitSubject): Promise<void>;
  /** What is used now, for operators: one row for each rule and key that is not whole. Its size is that of the state. */
  snapshot(): Promise<readonly UsageRow[]>;
  /** Forgets everything. Later decisions throw `SAGE_RATELIMIT_CLOSED`. */
  close(): Promise<void>;
}

/** How much of a rule one key has left. API keys are shown as their hash. */
export interface UsageRow extends Pick<RuleState, 'rule' | 'unit' | 'scope' | 'limit' | 'remaining' | 'resetAtMs'> {
  readonly key: string;
}

/**
 * Makes a limiter that keeps its state in this process.
 *
 * Throws `SAGE_CORE_INVALID_OPTION` for a rule that cannot be. Emits `limiter.denied` for each rule that denies, and offers its counters as the
 * source `limiter.memory`.
 *
 * @example
 * ```ts
 * const limiter = createRateLimiter({ rules: [{ name: 'user', scope: 'user', limit: 60, per: 'minute' }] });
 * const { allowed, remaining, retryAfterMs } = limiter.checkSync({ user: 'ada' });
 * ```
 */
export function createRateLimiter({ rules, maxKeys = 100_000, clock = systemClock }: RateLimiterOptions): RateLimiter {
  const groups = compileRules(rules);
  const store = createMemoryStore({ maxKeys, clock });
  const counts = { allowed: 0, denied: 0, shadowDenied: 0, overflowed: 0 };
  const counters = source('limiter.memory', () => ({ ...counts, ...store.counts() }));
  let closed = false;

  const decide = (subject: LimitSubject, costs: LimitCosts | undefined, kind: 'peek' | 'consume'): Decision => {
    if (closed) throw errors.CLOSED();
    return conclude(store.decide({ kind, asks: asksOf(groups, subject, costs) }), clock);
  };
  const limiter: RateLimiter = {
    checkSync(subject, costs) {
      const decision = decide(subject, costs, 'consume');
      counts[decision.allowed ? 'allowed' : 'denied']++;
      if (decision.degraded) counts.overflowed++;
      if (decision.shadowDenied.length > 0) counts.shadowDenied++;
      report(decision);
      return decision;
    },
    check: async (subject, costs) => limiter.checkSync(subject, costs),
    peek: async (subject, costs) => decide(subject, costs, 'peek'),
    async reset(subject) {
      store.reset(asksOf(groups, subject, undefined).filter(({ rule }) => rule.scope !== 'global'));
    },
    async snapshot() {
      const nowMs = clock.now();
      const all = groups.flatMap((group) => group.rulesOf(undefined));
      return store.snapshot(all, Number.POSITIVE_INFINITY).map((holding) => toRow(holding, nowMs));
    },
    async close() {
      closed = true;
      counters[Symbol.dispose]();
      store.close();
    },
    [Symbol.asyncDispose]: () => limiter.close(),
  };
  return limiter;
}

/** The rules that apply to a subject, each with the subject's key and its cost. */
function asksOf(groups: readonly RuleGroup[], subject: LimitSubject, costs: LimitCosts | undefined): Ask[] {
  const asks: Ask[] = [];
  for (const group of groups) {
    const key = group.keyOf(subject);
    if (key === undefined) continue;
    for (const rule of group.rulesOf(subject.tier)) asks.push({ rule, key, cost: costIn(rule.unit, costs) ?? 0 });
  }
  return asks;
}

function toRow({ rule, key, remaining, resetAfterUs }: Holding, nowMs: number): UsageRow {
  return {
    rule: rule.name,
    unit: rule.unit,
    scope: rule.scope,
    key,
    limit: rule.limit,
    remaining: Math.min(remaining, rule.limit),
    resetAtMs: nowMs + Math.ceil(resetAfterUs / 1_000),
  };
}

function report({ violated, shadowDenied }: Decision): void {
  for (const { rule, unit, scope, mode, retryAfterMs = Number.POSITIVE_INFINITY } of [...violated, ...shadowDenied]) {
    emit('limiter.denied', { rule, unit, scope, mode, retryAfterMs });
  }
}
