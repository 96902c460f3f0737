/** Calls as the arguments of a statement, written as texts: what drivers make of arrays differs. */
import type { CompiledRule } from '../../compile.ts';
import { packStrategy } from '../../strategies/strategy.ts';
import type { Ask } from '../store.ts';
import { askFlags } from './decide-sql.ts';

/** Elements of arrays, as PostgreSQL writes them between braces. */
export interface PackedAsks {
  readonly rules: string;
  readonly keys: string;
  readonly numbers: string;
  /** Unit and scope of each that is audited in the transaction. */
  readonly labels: string;
  readonly isAudited: boolean;
}

/** A decision or a settlement. */
export interface BatchCall extends PackedAsks {
  readonly kind: number;
  readonly size: number;
  readonly id: string;
  readonly ttlUs: number;
  readonly maxWaitUs: number;
}

export interface PackOptions {
  /** For where days and months of a calendar lie. */
  readonly nowMs: number;
  readonly isLogged: (rule: CompiledRule) => boolean;
  readonly isAudited: (rule: CompiledRule) => boolean;
}

export function packAsks(asks: readonly Ask[], { nowMs, isLogged, isAudited }: PackOptions): PackedAsks {
  const numbers = asks.map(({ rule, cost }) => {
    const flags =
      (rule.mode === 'enforce' ? askFlags.enforced : 0) |
      (rule.returnsOnExpiry ? askFlags.returns : 0) |
      (isLogged(rule) ? askFlags.logged : 0) |
      (isAudited(rule) ? askFlags.audited : 0);
    return `${packStrategy(rule.strategy, nowMs).join(',')},${cost},${flags}`;
  });
  return {
    rules: asks.map(({ rule }) => quoted(rule.id)).join(','),
    keys: asks.map(({ key }) => quoted(key)).join(','),
    numbers: numbers.join(','),
    labels: asks.map(({ rule }) => (isAudited(rule) ? `${quoted(rule.unit)},${quoted(rule.scope)}` : none)).join(','),
    isAudited: asks.some(({ rule }) => isAudited(rule)),
  };
}

/** The arguments of `sage_limiter_batch` but the last, the time. */
export function packBatch(calls: readonly BatchCall[]): readonly (string | null)[] {
  const all = (of: (call: BatchCall) => string | number): string => arrayOf(calls.map(of).join(','));
  return [
    all(({ kind }) => kind),
    all(({ size }) => size),
    all(({ rules }) => rules),
    all(({ keys }) => keys),
    all(({ numbers }) => numbers),
    all(({ id }) => quoted(id)),
    all(({ ttlUs }) => ttlUs),
    all(({ maxWaitUs }) => Math.min(maxWaitUs, Number.MAX_SAFE_INTEGER)),
    calls.some(({ isAudited }) => isAudited) ? all(({ labels }) => labels) : null,
  ];
}

export function arrayOf(elements: string): string {
  return `{${elements}}`;
}

/** The numbers of an array that PostgreSQL wrote as text. */
export function numbersOf(text: string): readonly number[] {
  return text.slice(1, -1).split(',').map(Number);
}

const none = 'null,null';

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
