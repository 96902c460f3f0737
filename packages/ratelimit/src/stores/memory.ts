/**
 * Limiter state in this process: lost on restart, shared with nobody, bounded by `maxKeys` for each scope.
 *
 * Holds one timestamp per key and rule, found by one look-up per scope. A decision reads all its rules before it writes any.
 */
import { type CompiledRule, costOf, type RuleGroup } from '../rule.ts';
import { commit, decide, fullAfterUs, remainingUnits, type Verdict } from '../strategies/token-bucket.ts';
import { KeyTable, overflowSlot, type TableImage } from './key-table.ts';
import type { Ask, Finding, Holding, Question } from './store.ts';

export interface MemoryStoreOptions {
  readonly groups: readonly RuleGroup[];
  /** Most keys of one scope; further ones share one bucket. */
  readonly maxKeys: number;
}

export interface MemoryStore {
  /** Decides all rules of a question and charges all of them or none. One finding per rule, in the order asked. */
  decide(question: Question, nowUs: number): readonly Finding[];
  /** Makes the buckets of these keys full. */
  reset(asks: readonly Ask[]): void;
  /** What is kept of keys whose buckets are not full. */
  holdings(nowUs: number): readonly Holding[];
  /** Keys that have a slot, and how often a slot went from an idle key to a new one. */
  counts(): { readonly keys: number; readonly reclaimed: number };
  /** A copy of all state, one part per scope. */
  image(): readonly TableImage[];
  clear(): void;
}

/** One rule in the middle of a decision. */
interface Step {
  readonly rule: CompiledRule;
  readonly key: string;
  readonly table: KeyTable;
  readonly slot: number;
  /** Where in the table's times the rule's timestamp is. */
  readonly index: number;
  readonly cost: number;
  readonly verdict: Verdict;
}

export function createMemoryStore({ groups, maxKeys }: MemoryStoreOptions): MemoryStore {
  const tables = new Map(groups.map((group) => [group, new KeyTable({ width: group.rules.length, maxKeys })]));
  return {
    decide({ asks, costs, consume }, nowUs) {
      const steps: Step[] = [];
      for (const { group, key } of asks) {
        const table = tableOf(tables, group);
        const slot = table.find(key, nowUs);
        for (const [i, rule] of group.rules.entries()) {
          const index = slot * group.rules.length + i;
          const cost = costOf(rule.unit, costs);
          const verdict = decide(rule.bucket, table.times[index] ?? 0, cost, nowUs);
          steps.push({ rule, key, table, slot, index, cost, verdict });
        }
      }
      if (consume && !steps.some(isRefusal)) steps.forEach(charge);
      return steps.map((step) => toFinding(step, nowUs));
    },
    reset(asks) {
      for (const { group, key } of asks) tableOf(tables, group).forget(key);
    },
    holdings: (nowUs) => [...tables].flatMap(([{ rules }, table]) => holdingsOf(table, rules, nowUs)),
    counts() {
      const all = [...tables.values()];
      return {
        keys: all.reduce((sum, { size }) => sum + size, 0),
        reclaimed: all.reduce((sum, { reclaimed }) => sum + reclaimed, 0),
      };
    },
    image: () => [...tables.values()].map((table) => table.image()),
    clear() {
      for (const table of tables.values()) table.clear();
    },
  };
}

function tableOf(tables: ReadonlyMap<RuleGroup, KeyTable>, group: RuleGroup): KeyTable {
  const table = tables.get(group);
  if (table === undefined) throw new TypeError(`The store was not made for the rules of scope "${group.scope}".`);
  return table;
}

function isRefusal({ rule, verdict }: Step): boolean {
  return !verdict.allowed && rule.mode === 'enforce';
}

function charge({ table, slot, key, index, verdict }: Step): void {
  if (!verdict.allowed) return;
  table.claim(slot, key);
  commit(table.times, index, verdict);
}

function toFinding({ rule, table, slot, index, cost, verdict }: Step, nowUs: number): Finding {
  const arrivalUs = table.times[index] ?? 0;
  return {
    rule,
    cost,
    allowed: verdict.allowed,
    remaining: remainingUnits(rule.bucket, arrivalUs, nowUs),
    fullAfterUs: fullAfterUs(arrivalUs, nowUs),
    retryAfterUs: verdict.allowed ? 0 : verdict.retryAfterUs,
    overflowed: slot === overflowSlot,
  };
}

function holdingsOf(table: KeyTable, rules: readonly CompiledRule[], nowUs: number): Holding[] {
  return [...table.entries()].flatMap(([key, slot]) =>
    rules.flatMap((rule, i) => {
      const arrivalUs = table.times[slot * rules.length + i] ?? 0;
      if (arrivalUs <= nowUs) return [];
      const remaining = remainingUnits(rule.bucket, arrivalUs, nowUs);
      return [{ rule, key, remaining, fullAfterUs: fullAfterUs(arrivalUs, nowUs) }];
    }),
  );
}
