import type { PricePort } from '@sage-adk/core';
import { firstPrice } from './combine.ts';
import { compilePrice, priceOf, type TokenPrice } from './token-price.ts';

/** What to do with a call whose price nobody knows. */
export type UnknownPrice =
  | 'refuse'
  | 'allow'
  | {
      /** Counts for limits, and for nothing else. */
      readonly assume: TokenPrice;
    };

/** The price that limits go by. */
export function withAssumed(price: PricePort | undefined, unknown: UnknownPrice): PricePort | undefined {
  if (typeof unknown === 'string') return price;
  const assumed = compilePrice(unknown.assume, 'unknownPrice.assume');
  const always: PricePort = { costNanoUsd: ({ usage }) => priceOf(assumed, usage) };
  return price === undefined ? always : firstPrice(price, always);
}
