/** The state behind the drop-in stores: their rules and keys, on any store of ours. */
import { type Clock, requireOption } from '@sage-adk/core';
import { type CompiledRule, compileRule } from '../compile.ts';
import { hashApiKey } from '../keys.ts';
import type { Rule } from '../rule.ts';
import { createMemoryStore } from '../stores/memory.ts';
import type { Ask, Finding, LimiterStore } from '../stores/store.ts';

/** Where a drop-in store counts. */
export interface DropInOptions {
  /** A store of ours that is shared with others. @default one in this process, which ends with the drop-in */
  readonly store?: LimiterStore;
  /** Keeps this state apart from all else in a shared store. 1 to 32 letters, digits and `. _ : -`. @default the name of the package that is served */
  readonly prefix?: string;
  /** Of the store in this process: most keys, further ones share one state. @default 100_000 */
  readonly maxKeys?: number;
  /** Of the store in this process. */
  readonly clock?: Clock;
}

export interface Ledger {
  readonly prefix: string;
  readonly store: LimiterStore;
  /** Whether nobody else sees the state. */
  readonly isLocal: boolean;
  /** A rule of this ledger, whose state is found by its name and period. */
  rule(rule: LedgerRule): CompiledRule;
  close(): Promise<void>;
}

export interface LedgerRule extends Pick<Rule, 'name' | 'strategy' | 'burst' | 'anchored'> {
  /** @default {@link countless} */
  readonly limit?: number;
  readonly periodMs: number;
}

/** A limit that is never reached, for who only counts. */
const countless = 2 ** 52;
// A package may come with another period for each request; its rules are made again then.
const mostRules = 256;

export function createLedger(defaultPrefix: string, { prefix = defaultPrefix, store, ...own }: DropInOptions): Ledger {
  const expected = '1 to 32 letters, digits and . _ : -';
  requireOption('prefix', prefix, expected, (value) => /^[\w.:-]{1,32}$/.test(value));
  const used = store ?? createMemoryStore(own);
  const rules = new Map<string, CompiledRule>();
  return {
    prefix,
    store: used,
    isLocal: store === undefined,
    rule({ name, limit = countless, periodMs, ...rule }) {
      const id = `${name} ${limit} ${periodMs}`;
      const known = rules.get(id);
      if (known !== undefined) return known;
      if (rules.size >= mostRules) rules.clear();
      const per = { ms: Math.max(1, Math.ceil(periodMs)) };
      const compiled = compileRule({ ...rule, name: `${prefix}:${name}`, limit, per, scope: 'global' }, prefix);
      if (compiled === undefined) throw new TypeError('A rule of a ledger has a limit.');
      rules.set(id, compiled);
      return compiled;
    },
    close: async () => (store === undefined ? used.close() : undefined),
  };
}

/** An ask about a key. Of the key only a hash is kept: packages take addresses and API keys for keys. */
export function askAbout(rule: CompiledRule, key: string, cost: number): Ask {
  return { rule, key: hashApiKey(key), cost };
}

/** How much a rule has counted: of every process, where this one counted in their place, for as many hits as it may have seen a part of. */
export function countOf(finding: Finding, { rule }: Ask): number {
  return (finding.rule.limit - finding.remaining) * instancesOf(finding, rule);
}

/** How many processes share a rule of which this one had to decide by its part; 1 where the store decided. */
export function instancesOf(finding: Finding, rule: CompiledRule): number {
  return Math.max(1, Math.round(rule.limit / finding.rule.limit));
}
