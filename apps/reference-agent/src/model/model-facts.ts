/** What is known of models: the configuration first, then the presets. */
import type { PricePort } from '@sage-adk/core';
import { createPriceTable, firstPrice, type TokenPrice } from '@sage-adk/llm';
import { createModelBook } from '@sage-adk/llm/models';
import type { LlmConfig, PriceConfig, ProviderConfig } from '../config/llm.ts';
import { bookNames } from './sdk.ts';

export interface ModelFacts {
  readonly price: PricePort;
  of(provider: string, model: string): Facts;
}

/** Each is missing where nobody says it. */
export interface Facts {
  readonly contextWindow?: number;
  readonly maxOutputTokens?: number;
  readonly quality?: number;
  /** Billionths of a US dollar of a call of usual size, to compare models by. */
  readonly cost?: number;
}

const usualCall = { inputTokens: 3_000, outputTokens: 1_000 };

/** @param primary the provider that `llm.model` and `llm.price` are about. */
export function createModelFacts({ model: first, price: ofFirst, providers }: LlmConfig, primary: string): ModelFacts {
  const book = createModelBook();
  const bookOf = (name: string): string => {
    const kind = entryOf(providers, name)?.kind;
    return (kind && bookNames[kind]) ?? name;
  };
  const prices = Object.fromEntries(Object.entries(providers).map(([name, { models }]) => [name, pricesOf(models)]));
  const own = ofFirst === undefined ? prices : withPrice(prices, primary, first, ofFirst);
  const presets: PricePort = {
    costNanoUsd: (call) => book.price.costNanoUsd({ ...call, provider: bookOf(call.provider) }),
  };
  const price = firstPrice(createPriceTable({ prices: own }), presets);
  return {
    price,
    of(provider, model) {
      const preset = book.find(bookOf(provider), model);
      const said = entryOf(entryOf(providers, provider)?.models ?? {}, model);
      const facts = {
        contextWindow: said?.context_window ?? preset?.contextWindow,
        maxOutputTokens: said?.max_output_tokens ?? preset?.maxOutputTokens,
        quality: said?.quality ?? preset?.quality,
        cost: numberOf(price.costNanoUsd({ provider, model, usage: usualCall })),
      };
      return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
    },
  };
}

/** Names are anybody's, and `constructor` may be one. */
function entryOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

type Prices = Readonly<Record<string, TokenPrice>>;

function pricesOf(models: ProviderConfig['models']): Prices {
  return Object.fromEntries(
    Object.entries(models).flatMap(([model, { price }]) => (price ? [[model, priceOf(price)]] : [])),
  );
}

function withPrice(prices: Readonly<Record<string, Prices>>, provider: string, model: string, price: PriceConfig) {
  return { ...prices, [provider]: { ...entryOf(prices, provider), [model]: priceOf(price) } };
}

function priceOf({ input, cached_input: cachedInput, output }: PriceConfig): TokenPrice {
  return { input, output, ...(cachedInput !== undefined && { cachedInput }) };
}

function numberOf(cost: bigint | undefined): number | undefined {
  return cost === undefined ? undefined : Number(cost);
}
