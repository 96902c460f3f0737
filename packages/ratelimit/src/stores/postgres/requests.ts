/** Asks as the arguments of a statement, written as texts: what drivers make of arrays differs. */
import type { CompiledRule } from '../../compile.ts';
import { packStrategy } from '../../strategies/strategy.ts';
import type { Ask } from '../store.ts';
import { askFlags } from './decide-sql.ts';

export interface PackedAsks {
  /** The asks in the order in which their keys are locked. */
  readonly asks: readonly Ask[];
  readonly rules: string;
  readonly keys: string;
  readonly numbers: string;
  /** Unit and scope of each, where any is audited in the transaction. */
  readonly labels: string | null;
}

export interface PackOptions {
  /** For where days and months of a calendar lie. */
  readonly nowMs: number;
  readonly isLogged: (rule: CompiledRule) => boolean;
  readonly isAudited: (rule: CompiledRule) => boolean;
}

export function packAsks(asks: readonly Ask[], { nowMs, isLogged, isAudited }: PackOptions): PackedAsks {
  const ordered = asks.length < 2 ? asks : asks.toSorted(byPlace);
  const numbers = ordered.map(({ rule, cost }) => {
    const flags =
      (rule.mode === 'enforce' ? askFlags.enforced : 0) |
      (rule.returnsOnExpiry ? askFlags.returns : 0) |
      (isLogged(rule) ? askFlags.logged : 0) |
      (isAudited(rule) ? askFlags.audited : 0);
    return `${packStrategy(rule.strategy, nowMs).join(',')},${cost},${flags}`;
  });
  return {
    asks: ordered,
    rules: arrayOf(ordered.map(({ rule }) => rule.id)),
    keys: arrayOf(ordered.map(({ key }) => key)),
    numbers: `{${numbers.join(',')}}`,
    labels: asks.some(({ rule }) => isAudited(rule))
      ? arrayOf(ordered.flatMap(({ rule }) => [rule.unit, rule.scope]))
      : null,
  };
}

/** The numbers of an array that PostgreSQL wrote as text. */
export function numbersOf(text: string): readonly number[] {
  return text.slice(1, -1).split(',').map(Number);
}

function arrayOf(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

function byPlace(a: Ask, b: Ask): number {
  return compare(a.key, b.key) || compare(a.rule.id, b.rule.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
