import { describe, expect, test } from '@jest/globals';
import type { Usage } from '@sage-adk/core';
import * as genai from '@pydantic/genai-prices';
import { genaiPrices } from '../../src/genai-prices/index.ts';
import { createModelBook, type ModelPreset, presets } from '../../src/models/index.ts';

const names = presets.map((preset) => [`${preset.provider}/${preset.model}`, preset] as const);
const theirs = genaiPrices({ module: genai });
const book = createModelBook();

/** Both sides of every tier, and each kind of token. */
const usages: readonly Usage[] = [
  { inputTokens: 1_000_000, outputTokens: 0 },
  { inputTokens: 100_000, outputTokens: 0 },
  { inputTokens: 1_000, outputTokens: 1_000_000 },
  { inputTokens: 300_000, outputTokens: 10_000 },
  { inputTokens: 100_000, outputTokens: 0, cachedInputTokens: 100_000 },
  { inputTokens: 100_000, outputTokens: 0, cacheWriteTokens: 100_000 },
  { inputTokens: 100_000, outputTokens: 0, cacheWriteTokens: 100_000, longCacheWriteTokens: 100_000 },
  { inputTokens: 500_000, outputTokens: 0, cachedInputTokens: 200_000, cacheWriteTokens: 100_000 },
];

describe('model presets', () => {
  test.each(names)('%s: each figure has a date and a source', (_name, preset) => {
    expect(preset.checked).toMatch(/^20\d\d-\d\d-\d\d$/);
    for (const source of preset.sources) expect(source).toMatch(/^https:\/\//);
    expect(preset.maxOutputTokens).toBeLessThan(preset.contextWindow);
    expect(book.find(preset.provider, preset.model)).toBe(preset);
  });

  test.each(names)('%s: costs what the sources say', (_name, { provider, model }) => {
    for (const usage of usages) {
      const cost = book.price.costNanoUsd({ provider, model, usage });
      expect([usage, cost]).toEqual([usage, theirs.costNanoUsd({ provider, model, usage })]);
    }
  });
});

describe('a book of models', () => {
  const own: ModelPreset = {
    provider: 'openai',
    model: 'gpt-5-mini',
    contextWindow: 1_000,
    maxOutputTokens: 100,
    quality: 3,
    price: { input: 7, output: 7 },
    checked: '2026-01-01',
    sources: ['https://contract.example', 'https://contract.example'],
  };
  const call = { api: 'chat', stream: true };

  test('knows models by their dated names, and does not know others', () => {
    expect(book.find('google', 'models/gemini-2.5-pro')?.model).toBe('gemini-2.5-pro');
    expect(book.find('anthropic', 'claude-haiku-4-5-20251001')?.maxOutputTokens).toBe(64_000);
    expect(book.maxOutputTokens({ ...call, provider: 'openai', model: 'gpt-5-mini-2025-08-07' })).toBe(128_000);
    expect(book.find('openai', 'gpt-5-mini-x')).toBeUndefined();
    expect(book.maxOutputTokens({ ...call, provider: 'openai', model: 'gpt-5-mini-x' })).toBeUndefined();
  });

  test('a provider and a model of any name have a price', () => {
    const models = ['constructor', '__proto__', 'toString'].map((name) => ({ ...own, provider: name, model: name }));
    const { price } = createModelBook({ models });
    for (const { provider, model } of models) {
      expect(price.costNanoUsd({ provider, model, usage: { inputTokens: 1, outputTokens: 0 } })).toBe(7_000n);
    }
    expect(Object.hasOwn(Object, 'constructor')).toBe(false);
  });

  test('has your models in front of the presets, or alone', () => {
    const mine = createModelBook({ models: [own] });
    const usage = { inputTokens: 1, outputTokens: 0 };
    expect(mine.find('openai', 'gpt-5-mini')).toBe(own);
    expect(mine.price.costNanoUsd({ provider: 'openai', model: 'gpt-5-mini', usage })).toBe(7_000n);
    expect(mine.models).toHaveLength(presets.length);
    expect(createModelBook({ models: [own], withPresets: false }).models).toEqual([own]);
  });

  test('tells what a fallback asks of its targets', () => {
    expect(book.targetOf('openai', 'gpt-5-mini')).toEqual({
      name: 'openai/gpt-5-mini',
      cost: 3_000 * 250 + 1_000 * 2_000,
      quality: 1,
      contextWindow: 400_000,
    });
    expect(() => book.targetOf('openai', 'gpt-0')).toThrow(/gpt-0/);
  });
});
