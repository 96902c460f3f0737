/** Turns a rule into what stores work with: whole numbers, decided once. */
import { hash } from 'node:crypto';
import { requireOption, requireWhole } from '@sage-adk/core';
import type { Mode, Period, Rule, StorePolicy, Strategy, TierLimits, Unit } from './rule.ts';
import { type Bucket, mostParts } from './strategies/bucket.ts';
import { createCalendar } from './strategies/calendar.ts';
import { rateOf } from './strategies/rate.ts';
import { longestLog } from './strategies/sliding.ts';
import type { CompiledStrategy } from './strategies/strategy.ts';

/** A rule with everything decided that does not depend on the subject. */
export interface CompiledRule {
  /**
   * Names the rule's state in a store: its name, its tier, and 8 characters that depend on all but the limit, the burst and the queue. State may
   * outlive a change of those three; a rule that counts something else starts clean.
   */
  readonly id: string;
  readonly name: string;
  readonly unit: Unit;
  /** For labels; `custom` for a function. */
  readonly scope: string;
  /** Rules of one space are asked about the same keys, so a store may keep their state together. */
  readonly space: string;
  /** Whether it was made for single subjects, with a space of its own: once nothing in that counts, it may never be asked about again. */
  readonly forSubject: boolean;
  /** Members that a subject must have for the rule to apply. */
  readonly when: readonly (readonly [member: SubjectMember, value: string])[];
  readonly mode: Mode;
  readonly limit: number;
  /** The most that can ever be asked for at once. */
  readonly burst: number;
  /** Undefined for concurrency, and for calendar months, whose length differs. */
  readonly periodMs: number | undefined;
  /** The period as the rule names it, such as `minute` or `250ms`; empty for concurrency. */
  readonly period: string;
  readonly strategy: CompiledStrategy;
  readonly onStoreError: StorePolicy;
  /** Whether a reservation that nobody settled in time is given back; else it stays charged. */
  readonly returnsOnExpiry: boolean;
}

const periodMs: Readonly<Record<Exclude<Period, object | `calendar-${string}`>, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};
const longestPeriodMs = 366 * 86_400_000;
const units: readonly Unit[] = ['requests', 'tokens', 'input_tokens', 'output_tokens', 'cost', 'concurrency'];
const strategies: readonly Strategy[] = ['token-bucket', 'fixed-window', 'sliding-window', 'leaky-bucket'];
// Twice as much still counts exactly, as a window holds that was charged by force.
const mostLimit = 2 ** 52;

/**
 * Checks a rule and compiles it, for one tier or for all others. Undefined where it sets no limit. Throws `SAGE_CORE_INVALID_OPTION`.
 *
 * @param space what {@link CompiledRule.space} shall be; a tier with limits of its own adds its name.
 */
export function compileRule(rule: Rule, space: string, tier?: string): CompiledRule | undefined {
  const { tiers = {} } = rule;
  const own: TierLimits | undefined = tier !== undefined && Object.hasOwn(tiers, tier) ? tiers[tier] : undefined;
  requireOption(`rules["${rule.name}"].tiers.${tier}`, own ?? {}, 'an object of limits', isObject);
  const given = { ...rule, ...own };
  const { name, unit = 'requests', mode = 'enforce', onExpiry = 'charge' } = given;
  const { onStoreError = unit === 'cost' ? 'closed' : 'local' } = given;
  requireOption('rules[].name', name, '1 to 64 letters, digits and . _ : -', (value) => /^[\w.:-]{1,64}$/.test(value));
  const option: Option = (key) => `rules["${name}"].${key}`;
  requireChoice(option('unit'), unit, units);
  requireChoice(option('mode'), mode, ['enforce', 'shadow']);
  requireChoice(option('onStoreError'), onStoreError, ['open', 'closed', 'local']);
  requireChoice(option('onExpiry'), onExpiry, ['charge', 'return']);
  if (given.limit === Number.POSITIVE_INFINITY) return undefined;
  requireWhole(option('limit'), given.limit, 1, mostLimit);
  const strategy = unit === 'concurrency' ? slotsOf(given, option) : strategyOf(given, unit, option);
  const suffix = suffixOf(own && tier);
  return {
    id: `${name}${suffix}~${fingerprint([unit, onExpiry, given.per, given.timeZone, strategy])}`,
    name,
    unit,
    scope: typeof rule.scope === 'function' ? 'custom' : rule.scope,
    space: space + suffix,
    forSubject: false,
    when: whenOf(rule, option),
    mode,
    limit: given.limit,
    burst: strategy.kind === 'bucket' ? strategy.burst : strategy.limit,
    periodMs: given.per === undefined ? undefined : lengthOf(given.per),
    period: typeof given.per === 'object' ? `${given.per.ms}ms` : (given.per ?? ''),
    strategy,
    onStoreError,
    returnsOnExpiry: onExpiry === 'return',
  };
}

/** What a tier with limits of its own adds to names. */
export function suffixOf(tier: string | undefined): string {
  return tier === undefined ? '' : `@${tier}`;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object';
}

type Option = (key: string) => string;
type SubjectMember = keyof NonNullable<Rule['when']>;

const members: readonly string[] = ['user', 'tenant', 'endpoint', 'provider', 'model'];

function whenOf({ when = {} }: Rule, option: Option): readonly (readonly [SubjectMember, string])[] {
  const given = Object.entries(when);
  for (const [member, value] of given) {
    requireOption(option('when'), member, `of ${members.join(', ')}`, (name) => members.includes(name));
    requireOption(option(`when.${member}`), value, 'a string', (name) => typeof name === 'string');
  }
  return given as [SubjectMember, string][];
}

function slotsOf({ limit, per, strategy }: Rule, option: Option): CompiledStrategy {
  requireOption(option('per'), per, 'missing: concurrency has no period', (value) => value === undefined);
  requireOption(option('strategy'), strategy, 'missing: concurrency has none', (value) => value === undefined);
  return { kind: 'slots', limit };
}

function strategyOf(rule: Rule, unit: Unit, option: Option): CompiledStrategy {
  const { limit, per, timeZone } = rule;
  const calendar = per === 'calendar-day' || per === 'calendar-month';
  const { strategy = calendar ? 'fixed-window' : unit === 'cost' ? 'sliding-window' : 'token-bucket' } = rule;
  requireChoice(option('strategy'), strategy, strategies);
  refuseUnless(strategy === 'token-bucket', rule, ['strict'], option);
  refuseUnless(strategy === 'token-bucket' || strategy === 'leaky-bucket', rule, ['burst'], option);
  refuseUnless(strategy === 'leaky-bucket', rule, ['maxQueue'], option);
  refuseUnless(strategy === 'fixed-window' && !calendar, rule, ['anchored'], option);
  refuseUnless(calendar, rule, ['timeZone'], option);
  if (calendar) {
    requireOption(option('strategy'), strategy, '"fixed-window" for a calendar', (value) => value === 'fixed-window');
    return { kind: 'window', limit, periodUs: 0, anchored: false, calendar: calendarOf(per, timeZone, option) };
  }
  const periodUs = toMs(per, option('per')) * 1_000;
  switch (strategy) {
    case 'fixed-window':
      return { kind: 'window', limit, periodUs, anchored: rule.anchored ?? false, calendar: undefined };
    case 'sliding-window':
      return { kind: 'sliding', limit, periodUs, resolutionUs: limit <= longestLog ? 1 : Math.ceil(periodUs / 100) };
    case 'token-bucket':
      return bucketOf(rule, periodUs, (rule.strict ?? false) ? Math.ceil(limit / 2) : limit, option);
    default:
      return bucketOf(rule, periodUs, unit === 'requests' ? 1 : limit, option);
  }
}

function bucketOf(rule: Rule, periodUs: number, defaultBurst: number, option: Option): Bucket {
  const { limit, strict = false, maxQueue: queue = 0 } = rule;
  const burst = requireWhole(option('burst'), rule.burst ?? defaultBurst, 1, strict ? limit : mostParts);
  requireWhole(option('maxQueue'), queue, 0, mostParts);
  const rate = rateOf(periodUs, strict ? limit + 1 - burst : limit, Math.floor(mostParts / (burst + queue)));
  if (rate !== undefined) return { kind: 'bucket', ...rate, burst, queue };
  const tooSlow = 'smaller, or the period shorter: so much would take years to drain';
  requireOption(option('burst'), burst, tooSlow, () => false);
  return { kind: 'bucket', weight: 1, drain: 1, burst, queue };
}

function calendarOf(per: 'calendar-day' | 'calendar-month', timeZone = 'UTC', option: Option) {
  requireOption(option('timeZone'), timeZone, 'a time zone such as "Europe/Berlin"', isTimeZone);
  return createCalendar(per === 'calendar-day' ? 'day' : 'month', timeZone);
}

function toMs(per: Period | undefined, option: string): number {
  if (typeof per === 'object') return requireWhole(`${option}.ms`, per.ms, 1, longestPeriodMs);
  const expected = '"second", "minute", "hour", "day", "calendar-day", "calendar-month" or { ms }';
  requireOption(option, per, expected, (name) => name !== undefined && Object.hasOwn(periodMs, name));
  return periodMs[per as keyof typeof periodMs];
}

function lengthOf(per: Period): number | undefined {
  if (typeof per === 'object') return per.ms;
  return per === 'calendar-month' ? undefined : periodMs[per === 'calendar-day' ? 'day' : per];
}

function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** What a key of a rule depends on beside its limit, its burst and its queue: state of another kind is not read as this rule's. */
function fingerprint(parts: readonly unknown[]): string {
  const text = JSON.stringify(parts, (key, value: unknown) => (portable.has(key) ? undefined : value));
  return hash('sha256', text, 'base64url').slice(0, 8);
}

const portable = new Set(['limit', 'burst', 'queue', 'weight', 'drain', 'resolutionUs', 'calendar']);

function requireChoice<T extends string>(option: string, value: T, choices: readonly T[]): void {
  const expected = choices.map((choice) => `"${choice}"`).join(', ');
  requireOption(option, value, `one of ${expected}`, (choice) => choices.includes(choice));
}

function refuseUnless(applies: boolean, rule: Rule, keys: readonly (keyof Rule)[], option: Option): void {
  if (applies) return;
  for (const key of keys) {
    requireOption(option(key), rule[key], 'missing for this strategy', (value) => value === undefined);
  }
}
