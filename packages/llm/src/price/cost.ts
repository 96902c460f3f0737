import type { PricePort, Usage } from '@sage-adk/core';
import { type PriceTier, priceAt } from './token-price.ts';

/** What was used costs, in billionths of a US dollar; undefined where nobody knows. */
export function costOf(
  price: PricePort | undefined,
  provider: string,
  model: string | undefined,
  usage: Usage,
): bigint | undefined {
  if (price === undefined || model === undefined) return undefined;
  try {
    return price.costNanoUsd({ provider, model, usage });
  } catch {
    // A price book that fails knows no price; it must not fail the call.
    return undefined;
  }
}

/** The same by rates that are known. */
export function costAt(rates: PriceTier, usage: Usage): bigint | undefined {
  try {
    return priceAt(rates, usage);
  } catch {
    // Not a number of tokens.
    return undefined;
  }
}

/** The same of an answer: it names a dated version, where the book may know only the family that was asked for. */
export function costOfAnswer(
  price: PricePort | undefined,
  { provider, model }: { readonly provider: string; readonly model: string },
  saidModel: string | undefined,
  usage: Usage,
): bigint | undefined {
  return costOf(price, provider, saidModel, usage) ?? costOf(price, provider, model, usage);
}
