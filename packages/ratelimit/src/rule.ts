/** What a user writes down as a limit, and what the limiter makes of it once. */
import { type LimitCosts, type LimitSubject, requireOption, requireWhole } from '@sage-adk/core';
import { scopeKey } from './keys.ts';
import { pacedBucket, strictBucket, type TokenBucket } from './strategies/token-bucket.ts';

export interface Rule {
  /** Names the rule in decisions, metrics and errors; unique in its limiter. 1 to 64 letters, digits and `. _ : -`. */
  readonly name: string;
  /** What is counted. @default 'requests' */
  readonly unit?: Unit;
  /** Units per period, at least 1 and at most 10,000 per second. */
  readonly limit: number;
  readonly per: Period;
  /** Who shares the limit. */
  readonly scope: Scope;
  /** @default 'token-bucket' */
  readonly strategy?: Strategy;
  /** Most units at once. @default `limit`; half of it, rounded up, where `strict` */
  readonly burst?: number;
  /**
   * Never more than `limit` in any window of one period; without it, a full bucket and its refill may add up to `burst + limit`.
   * The sustained rate is `limit + 1 - burst` per period. @default false
   */
  readonly strict?: boolean;
  /** `shadow` decides and reports, and denies nothing. @default 'enforce' */
  readonly mode?: Mode;
}

export type Unit = 'requests';
export type Strategy = 'token-bucket';
export type Mode = 'enforce' | 'shadow';
export type Period = 'second' | 'minute' | 'hour' | 'day' | { readonly ms: number };

/**
 * `global`: all together. `user`: each `subject.user`, or each `subject.principal` where that is missing. `endpoint`: each `subject.endpoint`.
 * A function names the key itself; rules that share one function share its keys. Where the key is undefined the rule does not apply.
 */
export type Scope = 'global' | 'user' | 'endpoint' | ((subject: LimitSubject) => string | undefined);

/** A rule with everything decided that does not depend on the subject. */
export interface CompiledRule {
  readonly name: string;
  readonly unit: Unit;
  /** For labels; `custom` for a function. */
  readonly scope: string;
  readonly mode: Mode;
  readonly limit: number;
  readonly bucket: TokenBucket;
}

/** The rules of one scope: they share a key, so a store finds their state with one look-up. */
export interface RuleGroup {
  readonly scope: string;
  readonly rules: readonly CompiledRule[];
  /** The subject's key; undefined where the rules do not apply. */
  keyOf(subject: LimitSubject): string | undefined;
}

const periodMs: Readonly<Record<Exclude<Period, object>, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};
const longestPeriodMs = 366 * 86_400_000;
// Rounding an interval up to whole microseconds then costs 1 % of the rate at most.
const shortestIntervalUs = 100;
// Half of what a double counts exactly, so that sums of times stay exact.
const farthestUs = 2 ** 52;

/** Checks every rule and groups them by scope. Throws `SAGE_CORE_INVALID_OPTION`. */
export function compileRules(rules: readonly Rule[]): readonly RuleGroup[] {
  const names = new Set<string>();
  const groups = new Map<Scope, CompiledRule[]>();
  for (const rule of rules) {
    requireOption('rules[].name', rule.name, 'unique', (name) => !names.has(name));
    names.add(rule.name);
    const group = groups.get(rule.scope);
    if (group === undefined) groups.set(rule.scope, [compile(rule)]);
    else group.push(compile(rule));
  }
  return [...groups].map(([scope, compiled]) => ({
    scope: labelOf(scope),
    rules: compiled,
    keyOf: (subject) => scopeKey(scope, subject),
  }));
}

/** What a call costs in a rule's unit: one request where nothing is said. */
export function costOf(_unit: Unit, costs: LimitCosts | undefined): number {
  const cost = costs?.requests ?? 1;
  // Checked by hand first: this is the hot path, and requireWhole writes its message for every call.
  return Number.isSafeInteger(cost) && cost >= 0 ? cost : requireWhole('costs.requests', cost, 0);
}

function compile(rule: Rule): CompiledRule {
  const { name, unit = 'requests', strategy = 'token-bucket', strict = false, mode = 'enforce' } = rule;
  requireOption('rules[].name', name, '1 to 64 letters, digits and . _ : -', (value) => /^[\w.:-]{1,64}$/.test(value));
  const option = (key: string): string => `rules["${name}"].${key}`;
  requireOption(option('unit'), unit, '"requests"', (value) => value === 'requests');
  requireOption(option('strategy'), strategy, '"token-bucket"', (value) => value === 'token-bucket');
  requireOption(option('mode'), mode, '"enforce" or "shadow"', (value) => value === 'enforce' || value === 'shadow');
  requireOption(option('scope'), rule.scope, '"global", "user", "endpoint" or a function', isScope);
  const periodUs = toMs(rule.per, option('per')) * 1_000;
  const limit = requireWhole(option('limit'), rule.limit, 1, Math.floor(periodUs / shortestIntervalUs));
  const burst = requireWhole(option('burst'), rule.burst ?? (strict ? Math.ceil(limit / 2) : limit), 1);
  if (strict) requireWhole(option('burst'), burst, 1, limit);
  const bucket = strict ? strictBucket(limit, periodUs, burst) : pacedBucket(limit, periodUs, burst);
  requireWhole(option('burst'), burst, 1, Math.floor(farthestUs / bucket.intervalUs));
  return { name, unit, scope: labelOf(rule.scope), mode, limit, bucket };
}

function toMs(per: Period, option: string): number {
  if (typeof per === 'object') return requireWhole(`${option}.ms`, per.ms, 1, longestPeriodMs);
  requireOption(option, per, '"second", "minute", "hour", "day" or { ms }', (name) => Object.hasOwn(periodMs, name));
  return periodMs[per];
}

function isScope(scope: Scope): boolean {
  return typeof scope === 'function' || scope === 'global' || scope === 'user' || scope === 'endpoint';
}

function labelOf(scope: Scope): string {
  return typeof scope === 'function' ? 'custom' : scope;
}
