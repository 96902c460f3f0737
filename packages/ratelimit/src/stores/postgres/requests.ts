/** Calls as the arguments of a statement, written as texts: what drivers make of arrays differs. */
import type { CompiledRule } from '../../compile.ts';
import { packedKinds, packStrategy } from '../../strategies/strategy.ts';
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
  let rules = '';
  let keys = '';
  let numbers = '';
  let labels = '';
  let isAnyAudited = false;
  let comma = '';
  for (const { rule, key, cost } of asks) {
    const isOneAudited = isAudited(rule);
    const flags =
      (rule.mode === 'enforce' ? askFlags.enforced : 0) |
      (rule.returnsOnExpiry ? askFlags.returns : 0) |
      (isLogged(rule) ? askFlags.logged : 0) |
      (isOneAudited ? askFlags.audited : 0);
    const { id, strategy } = textsOf(rule, nowMs);
    rules += comma + id;
    keys += comma + quoted(key);
    numbers += `${comma}${strategy},${cost},${flags}`;
    labels += comma + (isOneAudited ? `${quoted(rule.unit)},${quoted(rule.scope)}` : none);
    isAnyAudited ||= isOneAudited;
    comma = ',';
  }
  return { rules, keys, numbers, labels, isAudited: isAnyAudited };
}

interface RuleTexts {
  readonly id: string;
  readonly strategy: string;
}

const knownTexts = new WeakMap<CompiledRule, RuleTexts>();

function textsOf(rule: CompiledRule, nowMs: number): RuleTexts {
  const known = knownTexts.get(rule);
  if (known !== undefined) return known;
  const packed = packStrategy(rule.strategy, nowMs);
  const texts = { id: quoted(rule.id), strategy: packed.join(',') };
  // The boundaries of a calendar move on.
  if (packed[0] !== packedKinds.calendar) knownTexts.set(rule, texts);
  return texts;
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
const special = /["\\]/;

function quoted(text: string): string {
  return special.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : `"${text}"`;
}
