/** The rules of a limiter, by what they are asked about. */
import { type LimitSubject, requireOption } from '@sage-adk/core';
import { type CompiledRule, compileRule } from './compile.ts';
import { scopeKey } from './keys.ts';
import type { Rule, Scope } from './rule.ts';

/** The rules of one scope: they are asked about one key. */
export interface RuleGroup {
  readonly scope: Scope;
  /** The subject's key; undefined where the rules do not apply. */
  keyOf(subject: LimitSubject): string | undefined;
  /** The rules that apply to a subject of this tier. */
  rulesOf(tier: string | undefined): readonly CompiledRule[];
}

/** Checks every rule and groups them by scope. Throws `SAGE_CORE_INVALID_OPTION`. */
export function compileRules(rules: readonly Rule[]): readonly RuleGroup[] {
  const names = new Set<string>();
  const scopes = new Map<Scope, Rule[]>();
  for (const rule of rules) {
    requireOption('rules[].name', rule.name, 'unique', (name) => !names.has(name));
    requireOption(`rules["${rule.name}"].scope`, rule.scope, expectedScope, isScope);
    names.add(rule.name);
    const members = scopes.get(rule.scope);
    if (members === undefined) scopes.set(rule.scope, [rule]);
    else members.push(rule);
  }
  return [...scopes].map(([scope, members], index) => createGroup(scope, members, index));
}

function createGroup(scope: Scope, rules: readonly Rule[], index: number): RuleGroup {
  const space = typeof scope === 'function' ? `custom${index}` : scope;
  const compile = (tier?: string) =>
    rules.map((rule) => compileRule(rule, space, tier)).filter((rule) => rule !== undefined);
  const others = compile();
  const tiers = new Set(rules.flatMap((rule) => Object.keys(rule.tiers ?? {})));
  const byTier = new Map([...tiers].map((tier) => [tier, compile(tier)]));
  return {
    scope,
    keyOf: (subject) => scopeKey(scope, subject),
    rulesOf: (tier) => (tier === undefined ? others : (byTier.get(tier) ?? others)),
  };
}

const scopes: readonly Scope[] = ['global', 'user', 'endpoint', 'provider', 'tenant'];
const expectedScope = '"global", "user", "endpoint", "provider", "tenant" or a function';

function isScope(scope: Scope): boolean {
  return typeof scope === 'function' || scopes.includes(scope);
}
