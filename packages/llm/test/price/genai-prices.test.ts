import { describe, expect, test } from '@jest/globals';
import type { PricePort, Usage } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import * as genai from '@pydantic/genai-prices';
import fc from 'fast-check';
import { genaiPrices, type GenaiPricesModule, type GenaiRate } from '../../src/genai-prices/index.ts';

const usage: Usage = { inputTokens: 1_000_000, outputTokens: 0 };
const port = genaiPrices({ module: genai });
const cost = (model: string, of: PricePort = port, provider = 'openai', used = usage) =>
  of.costNanoUsd({ provider, model, usage: used });

/** A module that knows one model, `m`, and counts how often it is asked. */
function moduleOf(prices: Record<string, GenaiRate>): GenaiPricesModule & { asked: number } {
  const module = {
    asked: 0,
    calcPrice(_usage: unknown, model: string) {
      module.asked++;
      return model === 'm' ? { model_price: prices } : null;
    },
  };
  return module;
}

describe('the prices of genai-prices', () => {
  test('OM10: are the same in whole numbers, for any usage of any model that is sold by the token', () => {
    const models = ['openai', 'anthropic', 'google'].flatMap((providerId) =>
      (genai.findProvider({ providerId })?.models ?? []).map(({ id }) => [providerId, id] as const),
    );
    const tokens = fc.nat(400_000);
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        tokens,
        tokens,
        tokens,
        tokens,
        ([provider, model], plain, read, write, out) => {
          const inputTokens = plain + read + write;
          const used = { inputTokens, outputTokens: out, cachedInputTokens: read, cacheWriteTokens: write };
          const ours = cost(model, port, provider, used);
          const theirs = theirPrice(provider, model, used);
          if (ours === undefined || theirs === undefined) return;
          expect(Math.abs(Number(ours) - theirs * 1e9)).toBeLessThanOrEqual(1 + theirs);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('know models by their dated names and through the names of clients', () => {
    expect(cost('gpt-4.1-2025-04-14')).toBe(2_000_000_000n);
    expect(cost('gpt-4.1', port, 'openai.responses')).toBe(2_000_000_000n);
    expect(cost('claude-haiku-4-5-20251001', port, 'anthropic')).toBe(1_000_000_000n);
    expect(cost('gemini-2.5-pro', port, 'gemini', { inputTokens: 100_000, outputTokens: 0 })).toBe(125_000_000n);
  });

  test('OM10: are unknown, and never 0, where the package knows no model or no price of its tokens', () => {
    expect(cost('gpt-99')).toBeUndefined();
    expect(cost('whisper-1')).toBeUndefined();
    expect(cost('gemma-3', port, 'google')).toBeUndefined();
    const failing = genaiPrices({
      module: {
        calcPrice() {
          throw new Error('no such unit');
        },
      },
    });
    expect(cost('gpt-4.1', failing)).toBeUndefined();
  });

  test('are looked up once for each model, until they may have changed', () => {
    const clock = createFakeClock();
    const rates: Record<string, GenaiRate> = { input_mtok: 1, output_mtok: 2 };
    const module = moduleOf(rates);
    const priced = genaiPrices({ module, refreshMs: 60_000, clock });
    for (let n = 0; n < 10; n++) expect([cost('m', priced), cost('n', priced)]).toEqual([1_000_000_000n, undefined]);
    expect(module.asked).toBe(2);
    rates['input_mtok'] = 3;
    clock.advance(60_000);
    expect(cost('m', priced)).toBe(3_000_000_000n);
    expect(module.asked).toBe(3);
  });

  test('have tiers, cache writes for an hour, and a price for the call', () => {
    const module = moduleOf({
      input_mtok: { base: 1, tiers: [{ start: 500_000, price: 2 }] },
      output_mtok: { base: 4, tiers: [{ start: 900_000, price: 8 }] },
      cache_write_mtok: 5,
      cache_write_1h_mtok: 6,
      requests_kcount: 7,
    });
    const of = (used: Usage) => cost('m', genaiPrices({ module }), 'any', used);
    expect(of({ inputTokens: 0, outputTokens: 0 })).toBe(7_000_000n);
    expect(of({ inputTokens: 500_000, outputTokens: 1 })).toBe(7_000_000n + 500_000_000n + 4_000n);
    expect(of({ inputTokens: 500_001, outputTokens: 1 })).toBe(7_000_000n + 1_000_002_000n + 4_000n);
    expect(of({ inputTokens: 900_001, outputTokens: 1 })).toBe(7_000_000n + 1_800_002_000n + 8_000n);
    const written = { inputTokens: 2, outputTokens: 0, cacheWriteTokens: 2, longCacheWriteTokens: 1 };
    expect(of(written)).toBe(7_000_000n + 5_000n + 6_000n);
  });
});

/** US dollars. */
function theirPrice(providerId: string, model: string, used: Usage): number | undefined {
  const { inputTokens, outputTokens, cachedInputTokens = 0, cacheWriteTokens = 0 } = used;
  const theirs = genai.calcPrice(
    {
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      cache_read_tokens: cachedInputTokens,
      cache_write_tokens: cacheWriteTokens,
    },
    model,
    { providerId },
  );
  return theirs?.total_price;
}
