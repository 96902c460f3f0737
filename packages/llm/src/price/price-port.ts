/** A port to prices of models that were read once, and the way back to them. */
import type { PricePort } from '@sage-adk/core';
import { type CompiledPrice, type PriceTier, priceOf, tierFor } from './token-price.ts';

/** Undefined for a model whose price is not known. */
export type FindPrice = (provider: string, model: string) => CompiledPrice | undefined;

export function portTo(find: FindPrice): PricePort {
  const port: PricePort = {
    costNanoUsd({ provider, model, usage }) {
      const price = find(provider, model);
      return price && priceOf(price, usage);
    },
  };
  finders.set(port, find);
  return port;
}

/** How to find the prices behind a port, where it was made by {@link portTo}: then their rates need not be told from what whole calls cost. */
export function pricesBehind(port: PricePort | undefined): FindPrice | undefined {
  return port && finders.get(port);
}

const finders = new WeakMap<PricePort, FindPrice>();

/** The rates of a call with so much input. */
export function ratesBy(
  find: FindPrice | undefined,
  { provider, model }: { readonly provider: string; readonly model: string },
  inputTokens: number,
): PriceTier | undefined {
  const price = find?.(provider, model);
  return price && tierFor(price, inputTokens);
}
