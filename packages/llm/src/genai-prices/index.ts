/** The prices of `@pydantic/genai-prices`, as a port. */
import { type Clock, type PricePort, requireNumber, systemClock } from '@sage-adk/core';
import { ModelMemo } from '../price/memo.ts';
import { portTo } from '../price/price-port.ts';
import type { UsdAmount } from '../price/nano-usd.ts';
import { type CompiledPrice, compilePrice, type LongInputRates, type TokenRates } from '../price/token-price.ts';

/** What is used of the package. */
export interface GenaiPricesModule {
  calcPrice(
    usage: Record<string, number>,
    modelId: string,
    options?: { providerId?: string; timestamp?: Date },
  ): { readonly model_price: Readonly<Record<string, GenaiRate | undefined>> } | null;
}

/** US dollars for a million, or one rate for each length of the input. */
export type GenaiRate = number | { readonly base: number; readonly tiers: readonly { start: number; price: number }[] };

export interface GenaiPricesOptions {
  /** The module, as imported. Its own functions keep its prices up to date, where that is wanted. */
  readonly module: GenaiPricesModule;
  /** How long a price counts that was looked up; some change with the date or the hour. Milliseconds. @default 900_000 */
  readonly refreshMs?: number;
  readonly clock?: Clock;
}

/**
 * A port for the prices of `@pydantic/genai-prices`. They are looked up once for each model and turned into whole billionths; a call is then priced here, not
 * there. A model that the package does not know, or knows no price of, is unknown and not free.
 *
 * @example
 * ```ts
 * import * as module from '@pydantic/genai-prices';
 * const price = genaiPrices({ module });
 * ```
 */
export function genaiPrices({ module, refreshMs = 900_000, clock = systemClock }: GenaiPricesOptions): PricePort {
  requireNumber('refreshMs', refreshMs, 0);
  const memo = new ModelMemo((provider, model) => lookUp(module, provider, model, new Date(clock.now())));
  let freshUntilMs = Number.NEGATIVE_INFINITY;
  return portTo((provider, model) => {
    const nowMs = clock.monotonicMs();
    if (nowMs >= freshUntilMs) {
      memo.clear();
      freshUntilMs = nowMs + refreshMs;
    }
    return memo.get(provider, model);
  });
}

function lookUp(
  module: GenaiPricesModule,
  provider: string,
  model: string,
  timestamp: Date,
): CompiledPrice | undefined {
  const [providerId = provider] = provider.split('.');
  try {
    const found = module.calcPrice({ input_tokens: 0, output_tokens: 0 }, model, { providerId, timestamp });
    return found === null ? undefined : compiled(found.model_price);
  } catch {
    return undefined;
  }
}

const names = {
  input: 'input_mtok',
  output: 'output_mtok',
  cachedInput: 'cache_read_mtok',
  cacheWrite: 'cache_write_mtok',
  longCacheWrite: 'cache_write_1h_mtok',
} as const satisfies Record<keyof TokenRates, string>;

/** Undefined for what is not sold by the token. */
function compiled(rates: Readonly<Record<string, GenaiRate | undefined>>): CompiledPrice | undefined {
  if (rates[names.input] === undefined) return undefined;
  const starts = Object.values(names).flatMap((name) => tiersOf(rates[name]).map(({ start }) => start));
  const perThousandCalls = baseOf(rates['requests_kcount']) ?? 0;
  const price = {
    ...ratesAt(rates, undefined),
    // A thousandth: the decimal point goes three places to the left.
    perCall: `${perThousandCalls}e-3`,
    longInput: [...new Set(starts)].map((above): LongInputRates => ({ above, ...ratesAt(rates, above) })),
  };
  return compilePrice(price, 'genai-prices');
}

function ratesAt(rates: Readonly<Record<string, GenaiRate | undefined>>, above: number | undefined): TokenRates {
  const known = Object.entries(names).flatMap(([name, key]): [string, UsdAmount][] => {
    const rate = rates[key];
    const amount = above === undefined ? baseOf(rate) : rateAbove(rate, above);
    return amount === undefined ? [] : [[name, amount]];
  });
  return { input: 0, output: 0, ...Object.fromEntries(known) };
}

function rateAbove(rate: GenaiRate | undefined, above: number): number | undefined {
  const reached = tiersOf(rate).filter(({ start }) => start <= above);
  return reached.toSorted((a, b) => b.start - a.start)[0]?.price ?? baseOf(rate);
}

function baseOf(rate: GenaiRate | undefined): number | undefined {
  return typeof rate === 'object' ? rate.base : rate;
}

function tiersOf(rate: GenaiRate | undefined): readonly { start: number; price: number }[] {
  return typeof rate === 'object' ? rate.tiers : [];
}
