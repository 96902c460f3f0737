import type { CompiledRule } from '../../compile.ts';
import type { Ask } from '../store.ts';
import { packRule } from './requests.ts';

/** Rules that checks are about together, as a script is told of them. */
export interface RuleSet {
  readonly rules: readonly CompiledRule[];
  /** For each ask, which of those that were asked it is: those of one place lie side by side. */
  readonly order: readonly number[];
  /** For each place, which ask is the first of it. */
  readonly firsts: readonly number[];
  /** Number of places; for each the number of its rules, how many numbers they have, the ids, and the code and numbers of each. */
  readonly args: readonly string[];
}

/** Sets that begin with one rule: many only where single subjects have rules of their own. */
const mostSets = 16;

/** What is known of sets of rules, so that each is packed once. */
export class RuleSets {
  readonly #known = new WeakMap<CompiledRule, RuleSet[]>();

  of(asks: readonly Ask[], nowMs: number): RuleSet | undefined {
    const [first] = asks;
    if (first === undefined) return undefined;
    const known = this.#known.get(first.rule) ?? [];
    for (const set of known) if (isAbout(set, asks)) return set;
    const set = packSet(asks, nowMs);
    // The boundaries of a calendar move on.
    if (set.rules.some(({ strategy }) => strategy.kind === 'window' && strategy.calendar !== undefined)) return set;
    if (known.length >= mostSets) known.shift();
    this.#known.set(first.rule, [...known, set]);
    return set;
  }
}

function isAbout({ rules }: RuleSet, asks: readonly Ask[]): boolean {
  if (rules.length !== asks.length) return false;
  for (let n = 0; n < rules.length; n++) if (rules[n] !== asks[n]?.rule) return false;
  return true;
}

function packSet(asks: readonly Ask[], nowMs: number): RuleSet {
  const places = [...Map.groupBy(asks.keys(), (n) => asks[n]?.rule.space).values()];
  const args = [`${places.length}`];
  for (const place of places) {
    const packed = place.map((n) => packRule(ruleAt(asks, n), nowMs));
    const numbers = packed.flatMap(({ code, numbers: own }) => [code, ...own]);
    args.push(`${place.length}`, `${numbers.length}`, ...place.map((n) => ruleAt(asks, n).id), ...numbers);
  }
  return {
    rules: asks.map(({ rule }) => rule),
    order: places.flat(),
    firsts: places.map(([first = 0]) => first),
    args,
  };
}

function ruleAt(asks: readonly Ask[], n: number): CompiledRule {
  const ask = asks[n];
  if (ask === undefined) throw new RangeError(`There is no ask ${n}.`);
  return ask.rule;
}
