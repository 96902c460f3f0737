import type { PricePort } from '@sage-adk/core';
import { roundedUp, toNanoUsd, type UsdAmount } from './nano-usd.ts';

/**
 * Asks one after the other; the first that knows a price counts. One that throws knows none.
 *
 * @example
 * ```ts
 * const price = firstPrice(ourContract, genaiPrices(genai));
 * ```
 */
export function firstPrice(...ports: readonly PricePort[]): PricePort {
  return {
    costNanoUsd(call) {
      for (const port of ports) {
        try {
          const cost = port.costNanoUsd(call);
          if (cost !== undefined) return cost;
        } catch {
          // The next one may know.
        }
      }
      return undefined;
    },
  };
}

/** The same prices times a decimal: `'0.5'` for a batch, `'2'` for a priority tier, `'0.9'` for a discount. Rounded up. */
export function atRate(port: PricePort, rate: UsdAmount): PricePort {
  const billionths = toNanoUsd('rate', rate);
  return {
    costNanoUsd(call) {
      const cost = port.costNanoUsd(call);
      return cost === undefined ? undefined : roundedUp(cost * billionths, 1_000_000_000n);
    },
  };
}
