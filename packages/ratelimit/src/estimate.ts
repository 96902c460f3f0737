/** What a reservation takes, where the estimate leaves something open or a limit leaves less than it. */
import { type LimitCosts, requireOption } from '@sage-adk/core';
import { costIn } from './costs.ts';
import type { Decision, RuleState } from './decision.ts';
import type { Unit } from './rule.ts';
import type { Ask } from './stores/store.ts';

/** An estimate with the default's numbers where it has none of its own. */
export function withDefaults(estimate: LimitCosts | undefined, defaults: LimitCosts | undefined): LimitCosts {
  const given = Object.entries(estimate ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

/** An assumption never makes a call larger than what its limits can admit at all: a caller who named no cap must not be refused for ours. */
export function fitAssumptions(asks: readonly Ask[], estimate: LimitCosts | undefined): readonly Ask[] {
  return asks.map((ask) => {
    const most = ask.rule.burst;
    return ask.cost > most && (costIn(ask.rule.unit, estimate) ?? 0) <= most ? { ...ask, cost: most } : ask;
  });
}

/** Units that rules count and the estimate says nothing of, so that a default stands in. */
export function assumedUnits(asks: readonly Ask[], estimate: LimitCosts | undefined): readonly Unit[] {
  const open = asks.filter(
    ({ rule: { unit } }) => unit !== 'requests' && unit !== 'concurrency' && costIn(unit, estimate) === undefined,
  );
  return [...new Set(open.map(({ rule }) => rule.unit))];
}

/**
 * The estimate cut to what the rules that denied it have left: tokens and money can be cut, requests and slots cannot. Undefined where nothing would be left.
 *
 * @param outputTokenNanoUsd price of an output token, by which fewer tokens follow from less money.
 */
export function clamp(
  estimate: LimitCosts,
  { violated }: Decision,
  outputTokenNanoUsd: number | undefined,
): LimitCosts | undefined {
  let cut: LimitCosts | undefined = estimate;
  for (const state of violated) cut = cut && cutTo(cut, state, outputTokenNanoUsd);
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
  let cut: LimitCosts | undefined = estimate;
  for (const state of violated) {
    if (state.cost > state.burst) cut = cut && cutTo(cut, { ...state, remaining: state.burst }, outputTokenNanoUsd);
  }
  return cut;
}

function cutTo(estimate: LimitCosts, { unit, cost, remaining }: RuleState, price: number | undefined) {
  if (remaining < 1) return undefined;
  switch (unit) {
    case 'output_tokens':
      return shorten(estimate, cost - remaining);
    case 'tokens':
      return estimate.outputTokens === undefined
        ? { ...estimate, tokens: remaining }
        : shorten(estimate, cost - remaining);
    case 'cost': {
      const cheaper = { ...estimate, costNanoUsd: BigInt(remaining) };
      if (estimate.outputTokens === undefined || price === undefined) return cheaper;
      return shorten(
        cheaper,
        Math.ceil((cost - remaining) / requireOption('outputTokenNanoUsd', price, 'above 0', (value) => value > 0)),
      );
    }
    default:
      return undefined;
  }
}

/** Fewer output tokens, at least one. */
function shorten(estimate: LimitCosts, by: number): LimitCosts | undefined {
  const outputTokens = (estimate.outputTokens ?? 0) - by;
  if (outputTokens < 1) return undefined;
  return { ...estimate, outputTokens, ...(estimate.tokens !== undefined && { tokens: estimate.tokens - by }) };
}
