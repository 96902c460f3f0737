/** What is known of models: the configuration first, then the presets. */
import type { PricePort } from '@sage-adk/core';
import { createPriceTable, firstPrice, type TokenPrice } from '@sage-adk/llm';
import { createModelBook } from '@sage-adk/llm/models';
import type { LlmConfig, PriceConfig } from '../config/llm.ts';
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
    const kind = Object.hasOwn(providers, name) ? providers[name]?.kind : undefined;
    return (kind && bookNames[kind]) ?? name;
  };
  const own: Record<string, Record<string, TokenPrice>> = {};
  for (const [name, { models }] of Object.entries(providers)) {
    for (const [model, { price }] of Object.entries(models)) if (price) (own[name] ??= {})[model] = priceOf(price);
  }
  if (ofFirst !== undefined) (own[primary] ??= {})[first] = priceOf(ofFirst);
  const presets: PricePort = {
    costNanoUsd: (call) => book.price.costNanoUsd({ ...call, provider: bookOf(call.provider) }),
  };
  const price = firstPrice(createPriceTable({ prices: own }), presets);
  return {
    price,
    of(provider, model) {
      const preset = book.find(bookOf(provider), model);
      const said = providers[provider]?.models[model];
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

function priceOf({ input, cached_input: cachedInput, output }: PriceConfig): TokenPrice {
  return { input, output, ...(cachedInput !== undefined && { cachedInput }) };
}

function numberOf(cost: bigint | undefined): number | undefined {
  return cost === undefined ? undefined : Number(cost);
}
