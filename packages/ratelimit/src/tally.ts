/** What a limiter counts for each of its rules, offered as sources: decisions are too fast for an operation each. */
import { source } from '@sage-adk/core';
import type { CompiledRule } from './compile.ts';
import type { Concluded } from './conclusion.ts';
import type { Mode, Unit } from './rule.ts';
import type { AnswerSource, Ask } from './stores/store.ts';
import { levelLeaving } from './strategies/strategy.ts';

/** Decisions of one rule, by who answered. */
interface Verdicts {
  readonly mode: Mode;
  readonly by: AnswerSource;
  allowed: number;
  denied: number;
}

interface RuleTally {
  readonly name: string;
  readonly verdicts: Verdicts[];
  readonly units: { reserved: number; settled: number; refunded: number; debt: number };
  unit: Unit;
  /** Allowed, with at most a fifth left of what the rule admits at once. */
  nearLimit: number;
  /** Reservations that this process holds. */
  leases: number;
}

/** Decisions about one enforced rule that the store allowed, counted by who makes them: a call for each would cost a third of the decision. */
export interface SoleTally {
  rule: CompiledRule | undefined;
  by: AnswerSource;
  allowed: number;
  nearLimit: number;
  /** Levels above are near its limit. */
  nearAbove: number;
}

type Counters = Record<string, number>;

/**
 * Counters by rule. A name of `limiter.decisions` is `rule|outcome|mode|source`, of `limiter.units` `rule|unit|kind`, of `limiter.near_limit` and
 * `limiter.leases` the rule.
 */
export class Tally {
  readonly #rules = new Map<string, RuleTally>();
  /** Of the rules of the last decisions, by their order. */
  readonly #recent: RuleTally[] = [];
  readonly #sources: readonly Disposable[];
  readonly sole: SoleTally = { rule: undefined, by: 'store', allowed: 0, nearLimit: 0, nearAbove: 0 };

  constructor() {
    this.#sources = [
      this.#offer('limiter.decisions', verdictsOf),
      this.#offer('limiter.units', unitsOf),
      this.#offer('limiter.near_limit', (rule, { nearLimit }) => ({ [rule]: nearLimit })),
      this.#offer('limiter.leases', (rule, { leases }) => ({ [rule]: leases })),
    ];
  }

  /** What each rule said. Returns whether all of them allowed. */
  decided(findings: Concluded['findings'], by: AnswerSource): boolean {
    let isUnanimous = true;
    let n = 0;
    for (const finding of findings) {
      count(this.#at(n++, finding.rule.name), finding, by);
      isUnanimous &&= finding.allowed;
    }
    return isUnanimous;
  }

  /** Makes {@link sole} about a rule and who answers. */
  turnTo(rule: CompiledRule, by: AnswerSource): void {
    this.#join();
    this.sole.rule = rule;
    this.sole.by = by;
    this.sole.nearAbove = levelLeaving(rule.strategy, nearAt(rule.limit, rule.burst) + 1);
  }

  /** A lease began; one that began before as well has reserved already. */
  reserved(asks: readonly Ask[], isRepeated: boolean): void {
    let n = 0;
    for (const { rule, cost } of asks) {
      const tally = this.#at(n++, rule.name);
      tally.leases++;
      if (isRepeated) continue;
      tally.unit = rule.unit;
      tally.units.reserved += cost;
    }
  }

  /** More was charged to a lease. */
  grown(asks: readonly Ask[]): void {
    for (const { rule, cost } of asks) this.#of(rule.name).units.reserved += cost;
  }

  /**
   * @param over units of each ask that are owed.
   * @param ends leases that are over with it: one, or none where that was told before.
   * @returns all that is owed.
   */
  settled(held: readonly Ask[], used: readonly Ask[], over: readonly number[], ends: number): number {
    let owed = 0;
    let place = 0;
    for (const { rule, cost } of used) {
      const tally = this.#at(place, rule.name);
      const { units } = tally;
      const debt = over[place] ?? 0;
      tally.leases -= ends;
      units.settled += cost;
      units.refunded += Math.max(0, (held[place]?.cost ?? 0) - cost);
      units.debt += debt;
      owed += debt;
      place++;
    }
    return owed;
  }

  /** A lease is over. */
  ended(asks: readonly Ask[]): void {
    for (const { rule } of asks) this.#of(rule.name).leases--;
  }

  close(): void {
    for (const each of this.#sources) each[Symbol.dispose]();
  }

  /** Adds what was counted of the sole rule to what is known of it. */
  #join(): void {
    const { rule, by, allowed, nearLimit } = this.sole;
    if (rule === undefined || allowed === 0) return;
    const tally = this.#of(rule.name);
    verdictsIn(tally, rule.mode, by).allowed += allowed;
    tally.nearLimit += nearLimit;
    this.sole.allowed = this.sole.nearLimit = 0;
  }

  /** {@link #of} the rule that comes as the nth: mostly it did before. */
  #at(n: number, name: string): RuleTally {
    const recent = this.#recent[n];
    return recent !== undefined && recent.name === name ? recent : (this.#recent[n] = this.#of(name));
  }

  #of(name: string): RuleTally {
    let tally = this.#rules.get(name);
    if (tally === undefined) {
      const units = { reserved: 0, settled: 0, refunded: 0, debt: 0 };
      tally = { name, verdicts: [], units, unit: 'requests', nearLimit: 0, leases: 0 };
      this.#rules.set(name, tally);
    }
    return tally;
  }

  #offer(name: string, read: (rule: string, tally: RuleTally) => Counters): Disposable {
    return source(name, () => {
      this.#join();
      return Object.assign({}, ...[...this.#rules].map(([rule, tally]) => read(rule, tally)));
    });
  }
}

function count(tally: RuleTally, { rule, allowed, remaining }: Concluded['findings'][number], by: AnswerSource): void {
  const verdicts = verdictsIn(tally, rule.mode, by);
  if (!allowed) {
    verdicts.denied++;
    return;
  }
  verdicts.allowed++;
  if (remaining <= nearAt(rule.limit, rule.burst)) tally.nearLimit++;
}

/** The most that is left of a rule where it is near its limit. */
function nearAt(limit: number, burst: number): number {
  return Math.floor(Math.min(limit, burst) / 5);
}

function verdictsIn({ verdicts }: RuleTally, mode: Mode, by: AnswerSource): Verdicts {
  const usual = verdicts[0];
  if (usual !== undefined && usual.by === by && usual.mode === mode) return usual;
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
