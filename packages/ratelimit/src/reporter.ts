import { emit, source } from '@sage-adk/core';
import type { Decision, RuleState } from './decision.ts';

/** Tells observers of denials, and counts decisions. */
export class Reporter {
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
  report(decision: Decision): Decision {
    const counts = this.#counts;
    if (decision.allowed) counts.allowed++;
    else counts.denied++;
    if (decision.degraded) counts[decision.source === 'overflow' ? 'overflowed' : 'degraded']++;
    if (!decision.allowed) tellDenied(decision);
    if (decision.shadowDenied.length > 0) {
      counts.shadowDenied++;
      decision.shadowDenied.forEach(tell);
    }
    return decision;
  }

  /** Money did not suffice. */
  exhausted({ violated }: Decision, handling: string): void {
    for (const { rule, unit, period } of violated) {
      if (unit === 'cost') emit('budget.exhausted', { rule, period, handling });
    }
  }

  reserved(): void {
    this.#counts.reserved++;
  }

  settled(): void {
    this.#counts.settled++;
  }

  close(): void {
    this.#source[Symbol.dispose]();
  }
}

/** Emits a denial, rule by rule. */
export function tellDenied({ violated }: Decision): void {
  violated.forEach(tell);
}

function tell({ rule, unit, scope, mode, retryAfterMs = Number.POSITIVE_INFINITY }: RuleState): void {
  emit('limiter.denied', { rule, unit, scope, mode, retryAfterMs });
}
