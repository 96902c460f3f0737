import { emit, source } from '@sage-adk/core';
import type { CompiledRule } from './compile.ts';
import { type Concluded, isDegraded } from './conclusion.ts';
import type { Decision, RuleState } from './decision.ts';
import type { OneAnswer } from './stores/one-rule.ts';
import type { Ask } from './stores/store.ts';
import { Tally } from './tally.ts';

/** What is counted of a decision. */
type Verdict = Pick<Concluded, 'allowed' | 'findings' | 'source'>;

/** Tells observers of denials, and counts decisions. */
export class Reporter {
  readonly tally = new Tally();
  readonly #counts = { allowed: 0, denied: 0, shadowDenied: 0, overflowed: 0, degraded: 0, reserved: 0, settled: 0 };
  readonly #source: Disposable;

  /**
   * @param store the kind of the store; the counters are offered as the source `limiter.<kind>`.
   * @param more counters of the store.
   */
  constructor(store: string, more: () => Readonly<Record<string, number>>) {
    this.#source = source(`limiter.${store}`, () => ({ ...this.#counts, ...more() }));
  }

  /** Returns the decision. */
  report<D extends Concluded>(decision: D): D {
    if (!this.count(decision)) this.tell(decision);
    return decision;
  }

  /** Counts a decision. Returns whether all its rules allowed; then there is nothing to tell. */
  count({ allowed, findings, source: by }: Verdict): boolean {
    const counts = this.#counts;
    if (allowed) counts.allowed++;
    else counts.denied++;
    if (isDegraded(by)) counts[by === 'overflow' ? 'overflowed' : 'degraded']++;
    return this.tally.decided(findings, by) && allowed;
  }

  tell(decision: Decision): void {
    if (!decision.allowed) tellDenied(decision);
    if (decision.shadowDenied.length === 0) return;
    this.#counts.shadowDenied++;
    decision.shadowDenied.forEach(tell);
  }

  /** {@link report} of a decision about one enforced rule: where it is allowed there is nothing to tell, and what is made when it is read is left alone. */
  reportOne(rule: CompiledRule, decision: Concluded, { waitUs, level, source: by }: OneAnswer): Decision {
    if (waitUs !== 0 || by === 'overflow') return this.report(decision);
    const { sole } = this.tally;
    if (sole.rule !== rule || sole.by !== by) this.tally.turnTo(rule, by);
    this.#counts.allowed++;
    sole.allowed++;
    if (level > sole.nearAbove) sole.nearLimit++;
    return decision;
  }

  /** A reservation was granted. */
  reserved(asks: readonly Ask[], isRepeated: boolean): void {
    if (!isRepeated) this.#counts.reserved++;
    this.tally.reserved(asks, isRepeated);
  }

  /** See {@link Tally.settled}. */
  settled(held: readonly Ask[], used: readonly Ask[], over: readonly number[], ends: number): number {
    this.#counts.settled++;
    return this.tally.settled(held, used, over, ends);
  }

  close(): void {
    this.#source[Symbol.dispose]();
    this.tally.close();
  }
}

/** Emits a denial, rule by rule. */
export function tellDenied(decision: Decision): void {
  decision.violated.forEach(tell);
  tellExhausted(decision, 'reject');
}

/** Money did not suffice; `handling` says what becomes of the call. */
export function tellExhausted({ violated }: Decision, handling: string): void {
  for (const { rule, unit, period } of violated) {
    if (unit === 'cost') emit('budget.exhausted', { rule, period, handling });
  }
}

function tell({ rule, unit, scope, mode, retryAfterMs = Number.POSITIVE_INFINITY }: RuleState): void {
  emit('limiter.denied', { rule, unit, scope, mode, retryAfterMs });
}
