import type { LimitCosts, PricePort, Usage } from '@sage-adk/core';
import type { LlmCall } from '../call.ts';
import { costAt, costOf } from '../price/cost.ts';
import { type FindPrice, ratesBy } from '../price/price-port.ts';
import type { PriceTier } from '../price/token-price.ts';
import { withCacheWrite } from './cache-write.ts';
import { limitCosts } from './spent.ts';

export interface Estimating {
  readonly price: PricePort | undefined;
  /** The prices behind it, where they are known. */
  readonly prices: FindPrice | undefined;
  /** Output tokens that are reserved for a request that names no limit of its own. */
  readonly defaultOutputTokens: number;
  /** The most that a model ever answers, where it is known. */
  readonly maxOutputOf: (call: LlmCall) => number | undefined;
}

/** What a call may use at most. */
export interface CallEstimate {
  readonly inputTokens: number;
  /** Of all answers together. */
  readonly outputTokens: number;
  readonly costs: LimitCosts;
  readonly outputTokenNanoUsd: number | undefined;
}

/** Of a body that cannot be read nobody knows; nothing would let it pass for free. */
const unreadableTokens = 8_192;

export function estimateCall(call: LlmCall, options: Estimating): CallEstimate {
  const inputTokens = call.estimateInput() ?? unreadableTokens;
  const most = options.maxOutputOf(call) ?? Number.POSITIVE_INFINITY;
  const wanted = call.maxOutputTokens ?? options.defaultOutputTokens + (call.thinkingTokens ?? 0);
  const outputTokens = Math.min(wanted, most) * call.choices;
  const { price } = options;
  const rates = ratesBy(options.prices, call, inputTokens);
  const costNanoUsd = worstCost(call, { inputTokens, outputTokens }, price, rates);
  return {
    inputTokens,
    outputTokens,
    costs: limitCosts(inputTokens, outputTokens, costNanoUsd),
    outputTokenNanoUsd: rates === undefined ? outputTokenPrice(call, inputTokens, price) : rates.outputTokenNanoUsd,
  };
}

/** The limit of one answer that goes into the request: what was granted, unless the request or the model says less anyway. */
export function capOf(call: LlmCall, grantedTokens: number, options: Estimating): number {
  const granted = Math.max(1, Math.floor(grantedTokens / call.choices));
  if (call.maxOutputTokens !== undefined) return Math.min(call.maxOutputTokens, granted);
  const most = options.maxOutputOf(call);
  return most === undefined ? granted : Math.min(granted, most);
}

/** Whether written to the cache or not: whichever costs more. */
function worstCost(
  call: LlmCall,
  usage: Usage,
  price: PricePort | undefined,
  rates: PriceTier | undefined,
): bigint | undefined {
  const { provider, model } = call;
  const cost = (used: Usage): bigint | undefined =>
    rates === undefined ? costOf(price, provider, model, used) : costAt(rates, used);
  const plain = cost(usage);
  if (plain === undefined || rates?.writesCostMore === false) return plain;
  const writing = withCacheWrite(call, usage);
  const written = writing && cost(writing);
  return written !== undefined && written > plain ? written : plain;
}

/** After this input: where a long input makes the output dearer, fewer tokens follow from less money. */
function outputTokenPrice(
  { provider, model }: LlmCall,
  inputTokens: number,
  price: PricePort | undefined,
): number | undefined {
  const without = costOf(price, provider, model, { inputTokens, outputTokens: 0 });
  const million = costOf(price, provider, model, { inputTokens, outputTokens: 1_000_000 });
  if (without === undefined || million === undefined || million <= without) return undefined;
  return Number(million - without) / 1_000_000;
}
