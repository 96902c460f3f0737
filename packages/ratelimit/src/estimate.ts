/** What a reservation takes, where the estimate leaves something open or a limit leaves less than it. */
import { type LimitCosts, requireOption } from '@sage-adk/core';
import { costIn } from './costs.ts';
import type { Decision, RuleState } from './decision.ts';
import type { Unit } from './rule.ts';
import type { Ask } from './stores/store.ts';

/** An estimate with the default's numbers where it has none of its own. */
export function withDefaults(estimate: LimitCosts | undefined, defaults: LimitCosts | undefined): LimitCosts {
  if (defaults === undefined) return estimate ?? {};
  const given = Object.entries(estimate ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

/** An assumption never makes a call larger than what its limits can admit at all: a caller who named no cap must not be refused for ours. */
export function fitAssumptions(asks: readonly Ask[], estimate: LimitCosts | undefined): readonly Ask[] {
  for (const one of asks) {
    if (!isAssumedTooLarge(one, estimate)) continue;
    return asks.map((ask) => (isAssumedTooLarge(ask, estimate) ? { ...ask, cost: ask.rule.burst } : ask));
  }
  return asks;
}

function isAssumedTooLarge({ rule, cost }: Ask, estimate: LimitCosts | undefined): boolean {
  return cost > rule.burst && (costIn(rule.unit, estimate) ?? 0) <= rule.burst;
}

/** Units that rules count and the estimate says nothing of, so that a default stands in. */
export function assumedUnits(asks: readonly Ask[], estimate: LimitCosts | undefined): readonly Unit[] {
  const open = asks.filter(
    ({ rule: { unit } }) => unit !== 'requests' && unit !== 'concurrency' && costIn(unit, estimate) === undefined,
  );
  return open.length === 0 ? [] : [...new Set(open.map(({ rule }) => rule.unit))];
}

/**
 * The estimate cut to what the rules that denied it have left: tokens and money can be cut, requests and slots cannot. Undefined where nothing would be left.
 *
 * @param outputTokenNanoUsd price of an output token, by which fewer tokens follow from less money.
 */
export function clamp(
  estimate: LimitCosts,
  { violated }: Pick<Decision, 'violated'>,
  outputTokenNanoUsd: number | undefined,
): LimitCosts | undefined {
  // Each rule is about the whole estimate; of the cuts the deepest counts.
  let cut: LimitCosts | undefined = estimate;
  for (const state of violated) cut = cut && cutTo(cut, estimate, state, outputTokenNanoUsd);
  return cut;
}

/**
 * The estimate cut to what the rules that can never admit it admit at most: asked about that, they tell how long to wait for it. Undefined where waiting
 * helps it anyway, or where nothing would be left.
 */
export function fitted(
  estimate: LimitCosts,
  { violated, retryAfterMs }: Decision,
  outputTokenNanoUsd: number | undefined,
): LimitCosts | undefined {
  if (retryAfterMs !== undefined) return undefined;
  const tooLarge = violated.filter(({ cost, burst }) => cost > burst);
  return clamp(
    estimate,
    { violated: tooLarge.map((state) => ({ ...state, remaining: state.burst })) },
    outputTokenNanoUsd,
  );
}

function cutTo(cut: LimitCosts, whole: LimitCosts, { unit, cost, remaining }: RuleState, price: number | undefined) {
  if (remaining < 1) return undefined;
  switch (unit) {
    case 'output_tokens':
      return shorten(cut, whole, cost - remaining);
    case 'tokens':
      if (whole.outputTokens !== undefined) return shorten(cut, whole, cost - remaining);
      // Input is sent whole.
      return whole.inputTokens === undefined
        ? { ...cut, tokens: Math.min(cut.tokens ?? remaining, remaining) }
        : undefined;
    case 'cost': {
      const money = BigInt(remaining);
      const cheaper = {
        ...cut,
        costNanoUsd: cut.costNanoUsd !== undefined && cut.costNanoUsd < money ? cut.costNanoUsd : money,
      };
      if (whole.outputTokens === undefined) return cheaper;
      // Where output costs nothing, no fewer tokens make it cheaper: what is sent is the whole call.
      if (price === undefined) return undefined;
      return shorten(
        cheaper,
        whole,
        Math.ceil((cost - remaining) / requireOption('outputTokenNanoUsd', price, 'above 0', (value) => value > 0)),
      );
    }
    default:
      return undefined;
  }
}

/** The whole with `by` fewer output tokens, unless the cut has fewer already; at least one. */
function shorten(cut: LimitCosts, whole: LimitCosts, by: number): LimitCosts | undefined {
  const { outputTokens: wanted = 0, tokens } = whole;
  const outputTokens = Math.min(cut.outputTokens ?? 0, wanted - by);
  if (outputTokens < 1) return undefined;
  return { ...cut, outputTokens, ...(tokens !== undefined && { tokens: tokens - (wanted - outputTokens) }) };
}
