import type { CompiledRule } from '../compile.ts';
import type { OneAnswer, OneRule } from '../stores/one-rule.ts';
import { levelLeaving } from '../strategies/strategy.ts';
import type { SliceLine } from './slice-line.ts';

/** One rule that is to be sliced: its calls are answered at once while there is enough of a slice. */
export class OneSliced implements OneRule {
  readonly #rule: CompiledRule;
  readonly #lineOf: (key: string) => SliceLine | undefined;
  /** Asked last, and for which key. */
  #line: SliceLine | undefined;
  #key = '';
  // Fractions, so that the compiler keeps each as a number in place from the start.
  readonly #answer = { waitUs: 0, level: 0.5, resetAfterUs: 0.5, source: 'slice' as const, atUs: 0.5 };

  constructor(rule: CompiledRule, lineOf: (key: string) => SliceLine | undefined) {
    this.#rule = rule;
    this.#lineOf = lineOf;
  }

  consume(key: string, cost: number): OneAnswer | undefined {
    const line = this.#line !== undefined && this.#key === key ? this.#line : this.#turnTo(key);
    const remaining = line?.spend(cost);
    if (line === undefined || remaining === undefined) {
      // It may have been given up for another key's.
      this.#line = undefined;
      return undefined;
    }
    const { strategy, burst } = this.#rule;
    const answer = this.#answer;
    answer.level = levelLeaving(strategy, Math.min(burst, remaining));
    answer.resetAfterUs = line.resetAfterUs;
    answer.atUs = line.spentUs;
    return answer;
  }

  #turnTo(key: string): SliceLine | undefined {
    this.#line = this.#lineOf(key);
    this.#key = key;
    return this.#line;
  }
}
