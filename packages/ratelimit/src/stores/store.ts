/** What a limiter asks of a store, and what a store answers. One call carries a whole decision. */
import type { LimitCosts } from '@sage-adk/core';
import type { CompiledRule, RuleGroup } from '../rule.ts';

/** The rules of one scope, asked about one key. */
export interface Ask {
  readonly group: RuleGroup;
  readonly key: string;
}

/** A decision to make: every rule that applies, or none of them, is charged. */
export interface Question {
  readonly asks: readonly Ask[];
  readonly costs: LimitCosts | undefined;
  /** False only looks. */
  readonly consume: boolean;
}

/** What became of one rule. Durations, not times: a shared store goes by a clock of its own. */
export interface Finding {
  readonly rule: CompiledRule;
  readonly cost: number;
  readonly allowed: boolean;
  /** Units that may be spent after this decision. */
  readonly remaining: number;
  readonly fullAfterUs: number;
  /** 0 where allowed, undefined where waiting cannot help. */
  readonly retryAfterUs: number | undefined;
  /** The key had no room of its own and shares one with others. */
  readonly overflowed: boolean;
}

/** What is kept for a key and a rule. */
export interface Holding {
  readonly rule: CompiledRule;
  readonly key: string;
  readonly remaining: number;
  readonly fullAfterUs: number;
}
