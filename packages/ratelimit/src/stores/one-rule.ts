/** The short way to a decision about one enforced rule, for stores that can decide at once. */
import type { CompiledRule } from '../compile.ts';
import type { AnswerSource, LimiterStore } from './store.ts';

/** An answer about one rule. Its numbers are for who asks: a decision costs less than to divide. */
export interface OneAnswer {
  /** 0 where the rule itself allows, Infinity where it never does. */
  readonly waitUs: number;
  /** What is used now: what `remainingAt` and `resetUsAt` read. */
  readonly level: number;
  /** Not for a bucket, whose level tells. */
  readonly resetAfterUs: number;
  readonly source: AnswerSource;
  /** Wall-clock time. */
  readonly atUs: number;
}

/** What `decide` consumes for one ask of one rule, without allocating: everything is looked up before. */
export interface OneRule {
  /** The answer is overwritten by the next call. Undefined where the store must be asked in full; then nothing has happened. */
  consume(key: string, cost: number): OneAnswer | undefined;
}

interface DirectStore extends LimiterStore {
  one(rule: CompiledRule): OneRule | undefined;
}

/** The short way to a rule, if its store has one. */
export function oneOf(store: LimiterStore, rule: CompiledRule): OneRule | undefined {
  return isDirect(store) ? store.one(rule) : undefined;
}

function isDirect(store: LimiterStore): store is DirectStore {
  return 'one' in store;
}
