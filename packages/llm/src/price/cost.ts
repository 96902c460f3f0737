import type { PricePort, Usage } from '@sage-adk/core';

export interface Used {
  readonly provider: string;
  /** The first that has a price counts: answers name a dated version, the book may know only the family. */
  readonly models: readonly (string | undefined)[];
  readonly usage: Usage;
}

/** What was used costs, in billionths of a US dollar; undefined where nobody knows. */
export function costOf(price: PricePort | undefined, { provider, models, usage }: Used): bigint | undefined {
  if (price === undefined) return undefined;
  for (const model of models) {
    if (model === undefined) continue;
    try {
      const cost = price.costNanoUsd({ provider, model, usage });
      if (cost !== undefined) return cost;
    } catch {
      // A price book that fails knows no price; it must not fail the call.
    }
  }
  return undefined;
}
