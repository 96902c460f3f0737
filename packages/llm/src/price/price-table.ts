import type { PricePort } from '@sage-adk/core';
import { ModelMemo } from './memo.ts';
import { familyOf, modelName, providerName } from './model-names.ts';
import { portTo } from './price-port.ts';
import { type CompiledPrice, compilePrice, type TokenPrice } from './token-price.ts';

export interface PriceTableOptions {
  /** By provider, then by model. A model whose name ends in `*` stands for all that begin so and have no entry of their own. */
  readonly prices: Readonly<Record<string, Readonly<Record<string, TokenPrice>>>>;
  /** Other names of models, such as deployments on Azure, by provider: the model whose price they have. @default none */
  readonly aliases?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * A table of your own prices, in whole billionths of a US dollar.
 *
 * A model is looked up by the alias that its name may be, then by its whole name, then without its date (`-2025-08-07`, `-20250929`, `@20250929`, `-001`,
 * `-latest`), then by the longest beginning that stands in the table with a `*`. So `gpt-5-pro` never has the price of `gpt-5`. What is not found is unknown,
 * not free. Throws `SAGE_CORE_INVALID_OPTION` for an amount that is none.
 *
 * @example
 * ```ts
 * const price = createPriceTable({
 *   prices: { openai: { 'gpt-5-mini': { input: 0.25, cachedInput: 0.025, output: 2 } } },
 *   aliases: { openai: { 'our-deployment': 'gpt-5-mini' } },
 * });
 * ```
 */
export function createPriceTable({ prices, aliases = {} }: PriceTableOptions): PricePort {
  const books = compileBooks(prices);
  const otherNames = namesOf(aliases);
  const memo = new ModelMemo((provider, model) => {
    const name = modelName(model);
    const known = otherNames.get(providerName(provider))?.get(name) ?? name;
    return books.get(providerName(provider))?.find(known);
  });
  return portTo((provider, model) => memo.get(provider, model));
}

/** The prices of one provider. */
class Book {
  readonly #exact = new Map<string, CompiledPrice>();
  /** The longest first. */
  #beginnings: (readonly [beginning: string, price: CompiledPrice])[] = [];

  add(model: string, price: CompiledPrice): void {
    const name = modelName(model);
    if (!name.endsWith('*')) this.#exact.set(name, price);
    else {
      this.#beginnings = [...this.#beginnings, [name.slice(0, -1), price] as const].toSorted(
        ([a], [b]) => b.length - a.length,
      );
    }
  }

  find(name: string): CompiledPrice | undefined {
    const exact = this.#exact.get(name) ?? this.#exact.get(familyOf(name));
    return exact ?? this.#beginnings.find(([beginning]) => name.startsWith(beginning))?.[1];
  }
}

function compileBooks(prices: PriceTableOptions['prices']): ReadonlyMap<string, Book> {
  const books = new Map<string, Book>();
  for (const [provider, models] of Object.entries(prices)) {
    const book = books.get(providerName(provider)) ?? new Book();
    for (const [model, price] of Object.entries(models)) {
      book.add(model, compilePrice(price, `prices.${provider}.${model}`));
    }
    books.set(providerName(provider), book);
  }
  return books;
}

function namesOf(aliases: NonNullable<PriceTableOptions['aliases']>): ReadonlyMap<string, ReadonlyMap<string, string>> {
  return new Map(
    Object.entries(aliases).map(([provider, names]) => [
      providerName(provider),
      new Map(Object.entries(names).map(([alias, model]) => [modelName(alias), modelName(model)])),
    ]),
  );
}
