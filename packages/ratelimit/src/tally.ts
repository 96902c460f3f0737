/** What a limiter counts for each of its rules, offered as sources: decisions are too fast for an operation each. */
import { source } from '@sage-adk/core';
import type { Decision, RuleState } from './decision.ts';
import type { Mode, Unit } from './rule.ts';
import type { AnswerSource, Ask } from './stores/store.ts';

/** Decisions of one rule, by who answered. */
interface Verdicts {
  readonly mode: Mode;
  readonly by: AnswerSource;
  allowed: number;
  denied: number;
}

interface RuleTally {
  readonly verdicts: Verdicts[];
  readonly units: { reserved: number; settled: number; refunded: number; debt: number };
  unit: Unit;
  /** Allowed, with at most a fifth left of what the rule admits at once. */
  nearLimit: number;
  /** Reservations that this process holds. */
  leases: number;
}

type Counters = Record<string, number>;

/**
 * Counters by rule. A name of `limiter.decisions` is `rule|outcome|mode|source`, of `limiter.units` `rule|unit|kind`, of `limiter.near_limit` and
 * `limiter.leases` the rule.
 */
export class Tally {
  readonly #rules = new Map<string, RuleTally>();
  readonly #sources: readonly Disposable[];
  #lastName: string | undefined;
  #last: RuleTally | undefined;

  constructor() {
    this.#sources = [
      this.#offer('limiter.decisions', verdictsOf),
      this.#offer('limiter.units', unitsOf),
      this.#offer('limiter.near_limit', (rule, { nearLimit }) => ({ [rule]: nearLimit })),
      this.#offer('limiter.leases', (rule, { leases }) => ({ [rule]: leases })),
    ];
  }

  /** What each rule said. */
  decided({ rules, source: by }: Decision): void {
    for (const state of rules) this.#count(state, by);
  }

  reserved(asks: readonly Ask[]): void {
    for (const { rule, cost } of asks) {
      const tally = this.#of(rule.name);
      tally.unit = rule.unit;
      tally.units.reserved += cost;
    }
  }

  /** @param over units of each ask that are owed. */
  settled(held: readonly Ask[], used: readonly Ask[], over: readonly number[]): void {
    for (const [n, { rule, cost }] of used.entries()) {
      const { units } = this.#of(rule.name);
      units.settled += cost;
      units.refunded += Math.max(0, (held[n]?.cost ?? 0) - cost);
      units.debt += over[n] ?? 0;
    }
  }

  /** @param by 1 where a lease began, -1 where it is over. */
  leases(asks: readonly Ask[], by: 1 | -1): void {
    for (const { rule } of asks) this.#of(rule.name).leases += by;
  }

  close(): void {
    for (const each of this.#sources) each[Symbol.dispose]();
  }

  #count({ rule, mode, allowed, remaining, limit, burst }: RuleState, by: AnswerSource): void {
    const tally = this.#of(rule);
    const verdicts = verdictsIn(tally, mode, by);
    if (!allowed) verdicts.denied++;
    else {
      verdicts.allowed++;
      if (remaining * 5 <= Math.min(limit, burst)) tally.nearLimit++;
    }
  }

  #of(name: string): RuleTally {
    // Most limiters ask about one rule most of the time.
    if (name === this.#lastName && this.#last !== undefined) return this.#last;
    let tally = this.#rules.get(name);
    if (tally === undefined) {
      const units = { reserved: 0, settled: 0, refunded: 0, debt: 0 };
      tally = { verdicts: [], units, unit: 'requests', nearLimit: 0, leases: 0 };
      this.#rules.set(name, tally);
    }
    this.#lastName = name;
    this.#last = tally;
    return tally;
  }

  #offer(name: string, read: (rule: string, tally: RuleTally) => Counters): Disposable {
    return source(name, () => Object.assign({}, ...[...this.#rules].map(([rule, tally]) => read(rule, tally))));
  }
}

function verdictsIn({ verdicts }: RuleTally, mode: Mode, by: AnswerSource): Verdicts {
  for (const each of verdicts) if (each.by === by && each.mode === mode) return each;
  const first: Verdicts = { mode, by, allowed: 0, denied: 0 };
  verdicts.push(first);
  return first;
}

function verdictsOf(rule: string, { verdicts }: RuleTally): Counters {
  const counters: Counters = {};
  for (const { mode, by, allowed, denied } of verdicts) {
    counters[`${rule}|allowed|${mode}|${by}`] = allowed;
    counters[`${rule}|denied|${mode}|${by}`] = denied;
  }
  return counters;
}

/** Money in US dollars, as metrics show it. Nothing for rules of which nothing was ever reserved. */
function unitsOf(rule: string, { unit, units }: RuleTally): Counters {
  if (units.reserved === 0) return {};
  const parts = unit === 'cost' ? 1e9 : 1;
  return Object.fromEntries(Object.entries(units).map(([kind, amount]) => [`${rule}|${unit}|${kind}`, amount / parts]));
}
