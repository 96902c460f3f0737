import { requireOption } from '@sage-adk/core';
import type { CompiledRule } from '../compile.ts';
import type { Rule } from '../rule.ts';
import type { CompiledStrategy } from '../strategies/strategy.ts';

/** A rule as it is asked of the store, so that what is spent up to `validityUs` after it was charged still keeps the rule's promise. */
export interface SlicedRule {
  readonly rule: CompiledRule;
  readonly validityUs: number;
}

/**
 * How long a slice may be spent after it was charged.
 *
 * @param resetAfterUs what the store answered: how long it counts what it has just charged.
 */
export function spendableUs({ rule, validityUs }: SlicedRule, resetAfterUs: number): number {
  const { strategy } = rule;
  // The next one would end with the window, too.
  if (strategy.kind === 'window') return Math.min(validityUs, resetAfterUs);
  if (strategy.kind !== 'sliding') return validityUs;
  // Charges count until the end of the stretch they are kept in has passed by, and may be spent as much later.
  const roundedUpUs = resetAfterUs - strategy.periodUs;
  return validityUs + Math.max(0, Math.min(strategy.resolutionUs - 1, roundedUpUs));
}

/**
 * Makes a rule's promise hold for quota that is spent a little later than it was charged.
 *
 * A sliding window counts each charge for that much longer, and rounds its time up to half as much as without slices. A bucket admits as much less at once as it refills in that time. A fixed window needs
 * nothing, for its slices end with it. Slots are no quota, queues have their departures, and what comes back by itself when a process dies must not
 * have been spent: such rules cannot be sliced. Undefined where nothing of a burst is left to be admitted, as of a burst of 1.
 *
 * @param validityMs how long a slice may be spent. @default what costs the rule no more than a hundredth of its rate, or a twentieth of what it admits at once; at most 250 ms
 */
export function sliceRule(rule: CompiledRule, validityMs: number | undefined): SlicedRule | undefined {
  requireSliceable(rule);
  const { strategy, periodMs = 250_000 } = rule;
  // A sliding window admits less by what it counts longer. A bucket and a fixed window keep their rate, so their slices may last until a busy machine's turn comes.
  const wanted = validityMs ?? Math.min(periodMs / (strategy.kind === 'sliding' ? 100 : 20), 250);
  const validityUs = Math.max(1, Math.floor(Math.min(wanted * 1_000, drainUs(strategy) / 10)));
  const sliced = later(strategy, validityUs);
  const burst = sliced.kind === 'bucket' ? sliced.burst : sliced.limit;
  return burst < 1 ? undefined : { rule: { ...rule, strategy: sliced, burst }, validityUs };
}

function requireSliceable({ name, unit, strategy, returnsOnExpiry }: CompiledRule): void {
  const require = <T>(key: keyof Rule, value: T, expected: string, isValid: (value: T) => boolean): T =>
    requireOption(
      `rules["${name}"].${key}`,
      value,
      `${expected}, or the rule left out of the rules of sliceStore`,
      isValid,
    );
  require('unit', unit, 'another one', (value) => value !== 'concurrency');
  require('maxQueue', strategy.kind === 'bucket' ? strategy.queue : 0, '0', (value) => value === 0);
  require('onExpiry', returnsOnExpiry ? 'return' : 'charge', '"charge"', (value) => value === 'charge');
}

function later(strategy: CompiledStrategy, byUs: number): CompiledStrategy {
  if (strategy.kind === 'sliding') {
    const { periodUs, resolutionUs } = strategy;
    return { ...strategy, periodUs: periodUs + byUs, resolutionUs: Math.ceil(resolutionUs / 2) };
  }
  if (strategy.kind !== 'bucket') return strategy;
  const { weight, drain, burst } = strategy;
  return { ...strategy, burst: burst - Math.ceil((byUs * drain) / weight) };
}

/** How long a full bucket takes to drain; other strategies don't. */
function drainUs(strategy: CompiledStrategy): number {
  if (strategy.kind !== 'bucket') return Number.POSITIVE_INFINITY;
  return (strategy.burst * strategy.weight) / strategy.drain;
}
