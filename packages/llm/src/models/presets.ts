/**
 * A few well-known models of three providers. Figures age: each says when it was checked and where it was read. Standard tier only.
 *
 * Prices were compared with `@pydantic/genai-prices` 0.1.8, which a test does again; a model on whose price sources disagreed was left out.
 */
import type { TokenPrice } from '../price/token-price.ts';
import type { ModelPreset } from './preset.ts';

type Figures = Pick<ModelPreset, 'contextWindow' | 'maxOutputTokens' | 'quality' | 'price'>;

const checked = '2026-11-28';
const genaiPrices = 'https://github.com/pydantic/genai-prices (0.1.8)';
const claude = 'https://platform.claude.com/docs/en/models';
const googleCloud = 'https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/gemini';

/** @param limits where the figures of window and output were read. */
function preset(provider: string, model: string, limits: string, price: string, figures: Figures): ModelPreset {
  return { provider, model, checked, sources: [limits, price], ...figures };
}

/** OpenAI's rates for more input than 272 thousand tokens: input twice, output one and a half times the price. */
function gpt6(above: number, base: TokenPrice, long: Omit<TokenPrice, 'longInput'>): TokenPrice {
  return { ...base, longInput: [{ above, ...long }] };
}

const million = { contextWindow: 1_000_000, maxOutputTokens: 128_000 };
const gpt6Window = { contextWindow: 1_050_000, maxOutputTokens: 128_000 };
const geminiWindow = { contextWindow: 1_048_576, maxOutputTokens: 65_535 };

/** The presets, by no order that matters. */
export const presets: readonly ModelPreset[] = [
  preset('openai', 'gpt-6-astra', 'https://vercel.com/ai-gateway/models/gpt-6-astra', genaiPrices, {
    ...gpt6Window,
    quality: 3,
    price: gpt6(
      271_999,
      { input: 10, cachedInput: 1, cacheWrite: '12.5', output: 50 },
      { input: 20, cachedInput: 2, cacheWrite: 25, output: 75 },
    ),
  }),
  preset('openai', 'gpt-6-sol', 'https://runware.ai/docs/models/openai-gpt-6-sol', genaiPrices, {
    ...gpt6Window,
    quality: 2,
    price: gpt6(
      272_000,
      { input: 2, cachedInput: '0.2', cacheWrite: '2.5', output: 10 },
      { input: 4, cachedInput: '0.4', cacheWrite: 5, output: 15 },
    ),
  }),
  preset('openai', 'gpt-6-luna', 'https://vercel.com/ai-gateway/models/openai/gpt-6-luna', genaiPrices, {
    ...gpt6Window,
    quality: 1,
    price: gpt6(
      272_000,
      { input: '0.1', cachedInput: '0.01', cacheWrite: '0.125', output: '0.5' },
      { input: '0.2', cachedInput: '0.02', cacheWrite: '0.25', output: '0.75' },
    ),
  }),
  preset('openai', 'gpt-5-mini', 'https://vercel.com/ai-gateway/models/gpt-5-mini-fast', genaiPrices, {
    contextWindow: 400_000,
    maxOutputTokens: 128_000,
    quality: 1,
    price: { input: '0.25', cachedInput: '0.025', output: 2 },
  }),
  preset('openai', 'gpt-4.1-mini', 'https://vercel.com/ai-gateway/models/gpt-4.1-mini-fast', genaiPrices, {
    contextWindow: 1_047_576,
    maxOutputTokens: 32_768,
    quality: 1,
    price: { input: '0.4', cachedInput: '0.1', output: '1.6' },
  }),
  preset('anthropic', 'claude-opus-5-5', `${claude}/opus-5-5/overview`, genaiPrices, {
    ...million,
    quality: 3,
    price: { input: 4, cachedInput: '0.2', cacheWrite: 5, longCacheWrite: 8, output: 20 },
  }),
  preset('anthropic', 'claude-sonnet-5-5', `${claude}/sonnet-5-5/overview`, `${claude}/sonnet-5-5/overview`, {
    ...million,
    quality: 2,
    price: { input: 2, cachedInput: '0.2', cacheWrite: '2.5', longCacheWrite: 4, output: 10 },
  }),
  preset('anthropic', 'claude-haiku-4-5', `${claude}/haiku-4-5/overview`, genaiPrices, {
    contextWindow: 200_000,
    maxOutputTokens: 64_000,
    quality: 1,
    price: { input: 1, cachedInput: '0.1', cacheWrite: '1.25', longCacheWrite: 2, output: 5 },
  }),
  preset('gemini', 'gemini-2.5-pro', `${googleCloud}/2-5-pro`, genaiPrices, {
    ...geminiWindow,
    quality: 2,
    price: {
      input: '1.25',
      cachedInput: '0.125',
      output: 10,
      longInput: [{ above: 200_000, input: '2.5', cachedInput: '0.25', output: 15 }],
    },
  }),
  preset(
    'gemini',
    'gemini-2.5-flash',
    'https://docs.oracle.com/en-us/iaas/Content/generative-ai/google-gemini-2-5-flash.htm',
    genaiPrices,
    {
      ...geminiWindow,
      quality: 1,
      price: { input: '0.3', cachedInput: '0.03', output: '2.5' },
    },
  ),
  preset('gemini', 'gemini-2.5-flash-lite', `${googleCloud}/2-5-flash-lite`, genaiPrices, {
    ...geminiWindow,
    quality: 1,
    price: { input: '0.1', cachedInput: '0.01', output: '0.4' },
  }),
];
