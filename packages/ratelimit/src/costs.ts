/** What a call costs in the unit of a rule. */
import { type LimitCosts, requireOption } from '@sage-adk/core';
import type { Unit } from './rule.ts';

/** The whole number of units, or undefined where `costs` says nothing of this unit. Throws `SAGE_CORE_INVALID_OPTION` for what is no cost. */
export function costIn(unit: Unit, costs: LimitCosts | undefined): number | undefined {
  if (costs === undefined) return unit === 'concurrency' ? 1 : undefined;
  switch (unit) {
    case 'requests':
      return whole('requests', costs.requests);
    case 'tokens':
      return tokensOf(costs);
    case 'input_tokens':
      return whole('inputTokens', costs.inputTokens);
    case 'output_tokens':
      return whole('outputTokens', costs.outputTokens);
    case 'cost':
      return whole('costNanoUsd', costs.costNanoUsd === undefined ? undefined : Number(costs.costNanoUsd));
    default:
      return 1;
  }
}

/** The tokens that are no output, as far as that is known. */
export function inputOf({ tokens = 0, inputTokens, outputTokens = 0 }: LimitCosts): number {
  return inputTokens ?? Math.max(0, tokens - outputTokens);
}

/** All tokens; where only their parts are known, the sum of these. */
function tokensOf(costs: LimitCosts): number | undefined {
  const tokens = whole('tokens', costs.tokens);
  const inputTokens = whole('inputTokens', costs.inputTokens);
  const outputTokens = whole('outputTokens', costs.outputTokens);
  if (tokens !== undefined) return tokens;
  return inputTokens === undefined && outputTokens === undefined ? undefined : (inputTokens ?? 0) + (outputTokens ?? 0);
}

/** Refuses what is no cost. */
export function requireCosts(option: string, costs: LimitCosts): void {
  requireOption(option, costs, 'an object', (value) => typeof value === 'object' && value !== null);
  for (const [name, cost] of Object.entries(costs)) requireOption(`${option}.${name}`, cost, expected, isCost);
}

const expected = 'a whole number from 0 to 2^53 - 1';

function isCost(cost: unknown): boolean {
  const units = typeof cost === 'bigint' ? Number(cost) : cost;
  return cost === undefined || (Number.isSafeInteger(units) && (units as number) >= 0);
}

function whole<T extends number | undefined>(name: keyof LimitCosts, cost: T): T {
  // Checked by hand first: this is the hot path, and requireOption writes its message for every call.
  if (cost === undefined || (Number.isSafeInteger(cost) && cost >= 0)) return cost;
  return requireOption(`costs.${name}`, cost, expected, () => false);
}
