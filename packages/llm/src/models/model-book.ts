import type { PricePort } from '@sage-adk/core';
import type { CallFacts } from '../pipeline.ts';
import { ModelMemo } from '../price/memo.ts';
import { familyOf, modelName, providerName } from '../price/model-names.ts';
import { createPriceTable } from '../price/price-table.ts';
import type { TokenPrice } from '../price/token-price.ts';
import type { ModelPreset } from './preset.ts';
import { presets } from './presets.ts';

export interface ModelBookOptions {
  /** Models of your own. They go in front: one of the same provider and name replaces the preset. @default none */
  readonly models?: readonly ModelPreset[];
  /** Whether the presets are behind them. @default true */
  readonly withPresets?: boolean;
}

/** Models by their names, as different as these are written: in any case, with a date or without. */
export interface ModelBook {
  readonly models: readonly ModelPreset[];
  find(provider: string, model: string): ModelPreset | undefined;
  /** Their prices, as a policy of `wrapFetch`. */
  readonly price: PricePort;
  /** Their limits, as the policy of the same name of `wrapFetch`. */
  readonly maxOutputTokens: (call: CallFacts) => number | undefined;
  /** What a fallback asks of its targets. Throws where the model is not in the book. */
  targetOf(provider: string, model: string): ModelTarget;
}

/** Of a model as one target of several, in the words of `@sage-adk/recovery`. */
export interface ModelTarget {
  readonly name: string;
  /** Billionths of a US dollar of a call with 3,000 tokens of input and 1,000 of output. */
  readonly cost: number;
  readonly quality: number;
  readonly contextWindow: number;
}

/**
 * A book of models: the presets, and in front of them your own. Presets age; override what matters to you.
 *
 * @example
 * ```ts
 * const { price, maxOutputTokens } = createModelBook();
 * const modelFetch = wrapFetch(fetch, { limiter, price, maxOutputTokens });
 * ```
 */
export function createModelBook({ models: own = [], withPresets = true }: ModelBookOptions = {}): ModelBook {
  const byName = new Map<string, ModelPreset>();
  for (const model of withPresets ? [...presets, ...own] : own) byName.set(keyOf(model.provider, model.model), model);
  const models = [...byName.values()];
  const memo = new ModelMemo(
    (provider, model) => byName.get(keyOf(provider, model)) ?? byName.get(keyOf(provider, familyOf(modelName(model)))),
  );
  const price = createPriceTable({ prices: pricesOf(models) });
  return {
    models,
    price,
    find: (provider, model) => memo.get(provider, model),
    maxOutputTokens: ({ provider, model }) => memo.get(provider, model)?.maxOutputTokens,
    targetOf(provider, model) {
      const found = memo.get(provider, model);
      const cost = price.costNanoUsd({ provider, model, usage: { inputTokens: 3_000, outputTokens: 1_000 } });
      if (found === undefined || cost === undefined) {
        throw new RangeError(`The model "${model}" of "${provider}" is not in the book. Add it to "models".`);
      }
      const { quality, contextWindow } = found;
      return { name: `${found.provider}/${found.model}`, cost: Number(cost), quality, contextWindow };
    },
  };
}

function keyOf(provider: string, model: string): string {
  return `${providerName(provider)}/${modelName(model)}`;
}

function pricesOf(models: readonly ModelPreset[]): Record<string, Record<string, TokenPrice>> {
  const byProvider = Map.groupBy(models, ({ provider }) => provider);
  const pricesIn = (those: readonly ModelPreset[]) =>
    Object.fromEntries(those.map(({ model, price }) => [model, price]));
  return Object.fromEntries([...byProvider].map(([provider, those]) => [provider, pricesIn(those)]));
}
