import { describe, expect, test } from '@jest/globals';
import type { PricePort, Usage } from '@sage-adk/core';
import fc from 'fast-check';
import { atRate, createPriceTable, firstPrice, type TokenPrice } from '../../src/index.ts';

const perMillion: Usage = { inputTokens: 1_000_000, outputTokens: 0 };
const sonnet: TokenPrice = {
  input: 3,
  output: 15,
  cachedInput: '0.3',
  cacheWrite: '3.75',
  longCacheWrite: 6,
  longInput: [{ above: 200_000, input: 6, output: '22.5', cachedInput: '0.6', cacheWrite: '7.5', longCacheWrite: 12 }],
};
const table = createPriceTable({
  prices: {
    openai: {
      'gpt-5': { input: 1.25, cachedInput: 0.125, output: 10 },
      'gpt-5-mini': { input: 0.25, output: 2 },
      'gpt-4o': { input: 2.5, output: 10 },
      'gpt-4o-2024-05-13': { input: 5, output: 15 },
      'ft:gpt-4o-mini*': { input: 0.3, output: 1.2 },
      'ft:*': { input: 9, output: 9 },
    },
    anthropic: { 'claude-sonnet-4-5': sonnet },
    google: { 'gemini-2.0-flash': { input: '0.1', output: '0.4' } },
  },
  aliases: { openai: { 'our-deployment': 'gpt-5-mini' } },
});

const cost = (provider: string, model: string, usage: Usage = perMillion, port: PricePort = table) =>
  port.costNanoUsd({ provider, model, usage });

describe('a price table', () => {
  test.each([
    ['openai', 'gpt-5', 1_250_000_000n],
    ['openai', 'GPT-5', 1_250_000_000n],
    ['openai', 'gpt-5-2025-08-07', 1_250_000_000n],
    ['openai.chat', 'gpt-5', 1_250_000_000n],
    ['openai', 'gpt-4o-2024-08-06', 2_500_000_000n],
    ['openai', 'gpt-4o-2024-05-13', 5_000_000_000n],
    ['openai', 'our-deployment', 250_000_000n],
    ['openai', 'ft:gpt-4o-mini-2024-07-18:acme::x1', 300_000_000n],
    ['openai', 'ft:gpt-4.1:acme::x2', 9_000_000_000n],
    ['anthropic', 'claude-sonnet-4-5-20250929', 6_000_000_000n],
    ['anthropic', 'claude-sonnet-4-5@20250929', 6_000_000_000n],
    ['anthropic', 'claude-sonnet-4-5-latest', 6_000_000_000n],
    ['gemini', 'models/gemini-2.0-flash-001', 100_000_000n],
    ['google.vertex.chat', 'gemini-2.0-flash', 100_000_000n],
  ])('knows the price of %s %s', (provider, model, nanoUsd) => {
    expect(cost(provider, model)).toBe(nanoUsd);
  });

  test.each([
    ['openai', 'gpt-5-pro'],
    ['openai', 'gpt-5-2025'],
    ['openai', 'gpt-4o-audio-preview'],
    ['openai', 'unknown'],
    ['anthropic', 'gpt-5'],
    ['nobody', 'gpt-5'],
    ['constructor', '__proto__'],
  ])('OM10: does not know, and never as 0, the price of %s %s', (provider, model) => {
    expect(cost(provider, model)).toBeUndefined();
  });

  test('is read once: a wrong amount is told at once, with its name', () => {
    expect(() => createPriceTable({ prices: { openai: { 'gpt-5': { input: 'free', output: 1 } } } })).toThrow(
      /prices\.openai\.gpt-5\.input/,
    );
    const endless = { input: 1, output: 1, longInput: [{ above: -1 }] };
    expect(() => createPriceTable({ prices: { openai: { 'gpt-5': endless } } })).toThrow(/longInput\.above/);
  });

  test('prices each part of the input, and all of a long input, at its own rate', () => {
    const usage = { inputTokens: 1_000, outputTokens: 10, cachedInputTokens: 600, cacheWriteTokens: 300 };
    expect(cost('anthropic', 'claude-sonnet-4-5', usage)).toBe(
      BigInt(100 * 3_000 + 600 * 300 + 300 * 3_750 + 10 * 15_000),
    );
    expect(cost('anthropic', 'claude-sonnet-4-5', { ...usage, longCacheWriteTokens: 100 })).toBe(
      BigInt(100 * 3_000 + 600 * 300 + 200 * 3_750 + 100 * 6_000 + 10 * 15_000),
    );
    const at = (inputTokens: number) => cost('anthropic', 'claude-sonnet-4-5', { inputTokens, outputTokens: 1_000 });
    expect([at(200_000), at(200_001)]).toEqual([
      BigInt(200_000 * 3_000 + 1_000 * 15_000),
      BigInt(200_001 * 6_000 + 1_000 * 22_500),
    ]);
  });

  test('takes the plain rate for a part that has none of its own', () => {
    const usage = { inputTokens: 100, outputTokens: 0, cachedInputTokens: 40, cacheWriteTokens: 20 };
    expect(cost('openai', 'gpt-5-mini', usage)).toBe(25_000n);
  });

  test('OM10: is exact where floating point is not, and rounds up once', () => {
    const tiny = createPriceTable({ prices: { a: { b: { input: '0.1', output: '0.2', perCall: '0.00001' } } } });
    expect(cost('a', 'b', { inputTokens: 3, outputTokens: 3 }, tiny)).toBe(900n + 10_000n);
    const odd = createPriceTable({ prices: { a: { b: { input: '0.0375', output: 0 } } } });
    expect(cost('a', 'b', { inputTokens: 1, outputTokens: 0 }, odd)).toBe(38n);
    expect(cost('a', 'b', { inputTokens: 1_000_000, outputTokens: 0 }, odd)).toBe(37_500_000n);
  });

  test('OM10: is what whole numbers of any length give, however large or small the sum', () => {
    const tokens = fc.oneof(fc.nat(100), fc.nat(2_000_000), fc.nat(2 ** 45));
    const nano = fc.oneof(fc.nat(1_000), fc.nat(2 ** 31 - 1));
    fc.assert(
      fc.property(tokens, tokens, nano, nano, (inputTokens, outputTokens, input, output) => {
        const usd = (billionths: number): string => `${billionths}e-9`;
        const price = createPriceTable({ prices: { a: { b: { input: usd(input), output: usd(output) } } } });
        const sum = BigInt(inputTokens) * BigInt(input) + BigInt(outputTokens) * BigInt(output);
        return cost('a', 'b', { inputTokens, outputTokens }, price) === (sum + 999_999n) / 1_000_000n;
      }),
    );
  });

  test('OM10, RL23: a part of a usage never costs more than the whole', () => {
    const tokens = fc.nat(2_000_000);
    fc.assert(
      fc.property(tokens, tokens, tokens, (inputTokens, outputTokens, more) => {
        const part = cost('anthropic', 'claude-sonnet-4-5', { inputTokens, outputTokens }) ?? 0n;
        const longer = cost('anthropic', 'claude-sonnet-4-5', { inputTokens: inputTokens + more, outputTokens }) ?? 0n;
        const output = cost('anthropic', 'claude-sonnet-4-5', { inputTokens, outputTokens: outputTokens + more }) ?? 0n;
        return part <= longer && part <= output;
      }),
    );
  });

  test('holds no more than it needs, whatever names are asked for', () => {
    const costs = Array.from({ length: 5_000 }, (_, n) => cost('openai', `made-up-${n}`));
    expect(costs.filter((each) => each !== undefined)).toEqual([]);
    expect(cost('openai', 'gpt-5')).toBe(1_250_000_000n);
  });
});

describe('several prices', () => {
  const broken: PricePort = {
    costNanoUsd: () => {
      throw new Error('no book');
    },
  };

  test('are asked in turn; the first that knows counts, and one that fails knows nothing', () => {
    const own = createPriceTable({ prices: { openai: { 'gpt-5': { input: 1, output: 1 } } } });
    const both = firstPrice(broken, own, table);
    expect(cost('openai', 'gpt-5', perMillion, both)).toBe(1_000_000_000n);
    expect(cost('openai', 'gpt-5-mini', perMillion, both)).toBe(250_000_000n);
    expect(cost('openai', 'gpt-7', perMillion, both)).toBeUndefined();
  });

  test('can be had at a rate, such as that of a batch', () => {
    expect(cost('openai', 'gpt-5', perMillion, atRate(table, '0.5'))).toBe(625_000_000n);
    expect(cost('openai', 'gpt-5', { inputTokens: 1, outputTokens: 0 }, atRate(table, 0.5))).toBe(625n);
    expect(cost('openai', 'gpt-7', perMillion, atRate(table, 0.5))).toBeUndefined();
    expect(() => atRate(table, -1)).toThrow(/rate/);
  });
});
