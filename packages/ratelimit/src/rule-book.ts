/** The rules of a limiter: which apply to a subject, and as what. Rules may be changed while the limiter runs. */
import { hash } from 'node:crypto';
import { type LimitCosts, type LimitSubject, requireOption } from '@sage-adk/core';
import { type CompiledRule, compileRule, suffixOf } from './compile.ts';
import { costIn } from './costs.ts';
import { errors } from './errors.ts';
import { requireObject, scopeKey } from './keys.ts';
import type { Rule, Scope } from './rule.ts';
import type { Ask } from './stores/store.ts';

/** What of a rule may be changed. Its state stays, save that a bucket of one subject starts full. */
export type RulePatch = Partial<Pick<Rule, 'limit' | 'burst' | 'maxQueue' | 'mode' | 'onStoreError' | 'tiers'>>;

export interface SoleRule {
  readonly scope: Scope;
  readonly rule: CompiledRule;
}

/** The rules of one scope: they are asked about one key. */
interface RuleGroup {
  readonly scope: Scope;
  readonly others: readonly CompiledRule[];
  readonly byTier: ReadonlyMap<string, readonly CompiledRule[]>;
}

/** What a subject has in place of a rule: another one, or none. */
interface Override {
  readonly key: string;
  readonly rule: CompiledRule | undefined;
}

/** Rules of single subjects that may be kept. */
const mostOverrides = 10_000;

/** Checks and compiles rules. Throws `SAGE_CORE_INVALID_OPTION`. */
export class RuleBook {
  #rules: ReadonlyMap<string, Rule>;
  #groups: readonly RuleGroup[];
  #sole: SoleRule | undefined;
  /** By the name and the space of the common rule, which tells the tier, and the key. */
  readonly #overrides = new Map<string, Override>();
  readonly #admit: (rule: CompiledRule) => void;

  /** @param admit is asked about each rule before it counts, and throws where it cannot. */
  constructor(rules: readonly Rule[], admit: (rule: CompiledRule) => void = () => {}) {
    requireOption('rules', rules, 'a list of rules, which may be empty', Array.isArray);
    this.#admit = admit;
    this.#rules = byName(rules);
    this.#groups = this.#compile(rules);
    this.#sole = this.#findSole();
  }

  /** The one rule and its scope, where there is no other, it is enforced, and it is the same for every subject. */
  get sole(): SoleRule | undefined {
    return this.#sole;
  }

  /** Every rule that may be asked about, for tiers too; of those that count the same, as one that was changed for a subject does, the common one. */
  all(): readonly CompiledRule[] {
    const own = [...this.#overrides.values()].flatMap(({ rule }) => rule ?? []);
    return [...new Map([...own, ...rulesOf(this.#groups)].map((rule) => [rule.id, rule])).values()];
  }

  /** What was changed for single subjects and counts what the common rule counts. */
  changes(): readonly Ask[] {
    const own = [...this.#overrides.values()];
    return own.flatMap(({ key, rule }) => (rule === undefined || rule.forSubject ? [] : { rule, key, cost: 0 }));
  }

  /**
   * The rules that apply to a subject, each with the subject's key and the cost in its unit.
   *
   * @param missing the cost where `costs` says nothing of a unit.
   */
  asksOf(subject: LimitSubject, costs: LimitCosts | undefined, missing: (rule: CompiledRule) => number): Ask[] {
    requireObject('subject', subject);
    const asks: Ask[] = [];
    for (const { scope, others, byTier } of this.#groups) {
      const key = scopeKey(scope, subject);
      if (key === undefined) continue;
      const rules = subject.tier === undefined ? others : (byTier.get(subject.tier) ?? others);
      for (const common of rules) {
        if (!applies(common, subject)) continue;
        const rule = this.#overrides.size === 0 ? common : this.#ownOf(common, key);
        if (rule !== undefined) asks.push({ rule, key, cost: costIn(rule.unit, costs) ?? missing(rule) });
      }
    }
    return asks;
  }

  /** What was asked about before, with other costs: by its rules, as they are now unless the subject has come under others. */
  asksAgain(asks: readonly Ask[], subject: LimitSubject, costs: LimitCosts): Ask[] {
    const now = this.asksOf(subject, costs, () => 0);
    return asks.map(
      ({ rule, key }) =>
        now.find((ask) => ask.rule.id === rule.id) ?? { rule, key, cost: costIn(rule.unit, costs) ?? 0 },
    );
  }

  /** The rule of one name as it applies to a subject. */
  askOf(name: string, subject: LimitSubject, cost: number): Ask | undefined {
    const ask = this.asksOf(subject, undefined, () => 0).find(({ rule }) => rule.name === name);
    return ask && { ...ask, cost };
  }

  /** Changes a rule, for one subject or for all who have no change of their own. Undefined takes a subject's change back. */
  change(name: string, patch: RulePatch | undefined, subject: LimitSubject | undefined): void {
    const rule = this.#rules.get(name);
    if (rule === undefined) throw errors.UNKNOWN_RULE({ rule: name });
    if (subject !== undefined) {
      this.#override(rule, patch, subject);
    } else {
      const rules = [...this.#rules.values()].map((other) => (other === rule ? { ...rule, ...patch } : other));
      this.#groups = this.#compile(rules);
      this.#rules = byName(rules);
    }
    this.#sole = this.#findSole();
  }

  #compile(rules: readonly Rule[]): readonly RuleGroup[] {
    const groups = groupsOf(rules);
    rulesOf(groups).forEach(this.#admit);
    return groups;
  }

  #findSole(): SoleRule | undefined {
    const [group] = this.#groups;
    const [rule] = group?.others ?? [];
    if (group === undefined || rule === undefined || this.#groups.length > 1) return undefined;
    if (group.others.length > 1 || group.byTier.size > 0 || this.#overrides.size > 0) return undefined;
    if (rule.when.length > 0 || rule.mode === 'shadow') return undefined;
    return { scope: group.scope, rule };
  }

  #override(rule: Rule, patch: RulePatch | undefined, subject: LimitSubject): void {
    const key = scopeKey(rule.scope, subject);
    requireOption('subject', key, `one that rule "${rule.name}" applies to`, (value) => value !== undefined);
    const tier = Object.hasOwn(rule.tiers ?? {}, subject.tier ?? '') ? subject.tier : undefined;
    const space = spaceOf(rule.scope, scopesOf(this.#rules));
    const place = placeOf(rule.name, space + suffixOf(tier), key ?? '');
    if (patch === undefined) {
      this.#overrides.delete(place);
      return;
    }
    if (this.#overrides.size >= mostOverrides && !this.#overrides.has(place)) {
      throw errors.TOO_MANY_CHANGES({ most: mostOverrides });
    }
    const compiled = compileRule(patched(rule, patch, tier), space, tier);
    if (compiled !== undefined) this.#admit(compiled);
    this.#overrides.set(place, { key: key ?? '', rule: compiled && ownBucket(compiled) });
  }

  #ownOf(common: CompiledRule, key: string): CompiledRule | undefined {
    const own = this.#overrides.get(placeOf(common.name, common.space, key));
    return own === undefined ? common : own.rule;
  }
}

/** No name has a space; the space of a rule is of its author's words. */
function placeOf(name: string, space: string, key: string): string {
  return `${name} ${space} ${key}`;
}

/** What is changed counts more than what the rule says of the tier. */
function patched(rule: Rule, { tiers: _, ...patch }: RulePatch, tier: string | undefined): Rule {
  const own = tier === undefined ? undefined : { ...rule.tiers?.[tier], ...patch };
  return { ...rule, ...patch, tiers: tier === undefined || own === undefined ? {} : { [tier]: own } };
}

function applies({ when }: CompiledRule, subject: LimitSubject): boolean {
  for (const [member, value] of when) if (subject[member] !== value) return false;
  return true;
}

function byName(rules: readonly Rule[]): ReadonlyMap<string, Rule> {
  const named = new Map<string, Rule>();
  for (const rule of rules) {
    requireOption('rules[].name', rule.name, 'unique', (name) => !named.has(name));
    requireOption(`rules["${rule.name}"].scope`, rule.scope, expectedScope, isScope);
    named.set(rule.name, rule);
  }
  return named;
}

function groupsOf(rules: readonly Rule[]): readonly RuleGroup[] {
  const scopes = [...new Set(rules.map(({ scope }) => scope))];
  return scopes.map((scope) => {
    const members = rules.filter((rule) => rule.scope === scope);
    const compile = (tier?: string): readonly CompiledRule[] =>
      members.flatMap((rule) => compileRule(rule, spaceOf(scope, scopes), tier) ?? []);
    const tiers = new Set(members.flatMap((rule) => Object.keys(rule.tiers ?? {})));
    return { scope, others: compile(), byTier: new Map([...tiers].map((tier) => [tier, compile(tier)])) };
  });
}

function rulesOf(groups: readonly RuleGroup[]): readonly CompiledRule[] {
  return groups.flatMap(({ others, byTier }) => [...others, ...[...byTier.values()].flat()]);
}

function scopesOf(rules: ReadonlyMap<string, Rule>): readonly Scope[] {
  return [...new Set([...rules.values()].map(({ scope }) => scope))];
}

/** Rules that share a function share its keys. */
function spaceOf(scope: Scope, scopes: readonly Scope[]): string {
  return typeof scope === 'function' ? `custom${scopes.indexOf(scope)}` : scope;
}

/** A bucket's state is in parts of its own rate, so a bucket with another rate for one key is another bucket, and lies apart: few have it. */
function ownBucket(rule: CompiledRule): CompiledRule {
  if (rule.strategy.kind !== 'bucket') return rule;
  const id = `${rule.id}!${hash('sha256', JSON.stringify(rule.strategy), 'base64url').slice(0, 8)}`;
  return { ...rule, id, space: id, forSubject: true };
}

const scopes: ReadonlySet<Scope> = new Set<Scope>(['global', 'user', 'endpoint', 'provider', 'tenant']);
const expectedScope = '"global", "user", "endpoint", "provider", "tenant" or a function';

function isScope(scope: Scope): boolean {
  return typeof scope === 'function' || scopes.has(scope);
}
