/** From what each provider says to what it bills. The numbers of the answers are made up; their shape and what each counts is documented where it says. */
import { describe, expect, test } from '@jest/globals';
import { createPriceTable } from '../../src/index.ts';
import { anthropicMessages } from '../../src/providers/anthropic-messages.ts';
import type { Api } from '../../src/providers/api.ts';
import { geminiGenerate } from '../../src/providers/gemini-generate.ts';
import { openaiChat } from '../../src/providers/openai-chat.ts';
import { openaiEmbeddings } from '../../src/providers/openai-embeddings.ts';
import { openaiResponses } from '../../src/providers/openai-responses.ts';

/** One nano-dollar for plain input; each other kind of token has a power of ten of its own, so that a sum tells what was counted as what. */
const rates = {
  input: '0.001',
  output: '0.01',
  cachedInput: '0.1',
  cacheWrite: 1,
  longCacheWrite: 10,
};
const price = createPriceTable({ prices: { openai: { m: rates }, anthropic: { m: rates }, gemini: { m: rates } } });

const cases: readonly (readonly [name: string, source: string, api: Api, usage: unknown, nanoUsd: number])[] = [
  [
    'OpenAI chat: cached tokens are part of the prompt, reasoning is part of the completion',
    'https://platform.openai.com/docs/api-reference/chat/object',
    openaiChat,
    {
      prompt_tokens: 9,
      completion_tokens: 8,
      total_tokens: 17,
      prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 6, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
    },
    5 + 8 * 10 + 4 * 100,
  ],
  [
    'OpenAI responses: the same, and what was written to the cache is part of the input too',
    'https://platform.openai.com/docs/api-reference/responses/object',
    openaiResponses,
    {
      input_tokens: 9,
      output_tokens: 8,
      total_tokens: 17,
      input_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
      output_tokens_details: { reasoning_tokens: 6 },
    },
    3 + 8 * 10 + 4 * 100 + 2 * 1_000,
  ],
  [
    'OpenAI embeddings: input alone',
    'https://platform.openai.com/docs/api-reference/embeddings/create',
    openaiEmbeddings,
    { prompt_tokens: 8, total_tokens: 8 },
    8,
  ],
  [
    'xAI by way of chat: as OpenAI',
    'https://docs.x.ai/developers/advanced-api-usage/prompt-caching/usage-and-pricing',
    openaiChat,
    {
      prompt_tokens: 125,
      completion_tokens: 48,
      total_tokens: 173,
      prompt_tokens_details: { text_tokens: 125, audio_tokens: 0, image_tokens: 0, cached_tokens: 98 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
    },
    27 + 48 * 10 + 98 * 100,
  ],
  [
    'Anthropic: cache reads and writes stand beside the input, writes for an hour are part of the writes',
    'https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching',
    anthropicMessages,
    {
      input_tokens: 9,
      output_tokens: 8,
      cache_read_input_tokens: 4,
      cache_creation_input_tokens: 5,
      cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 3 },
      service_tier: 'standard',
    },
    9 + 8 * 10 + 4 * 100 + 2 * 1_000 + 3 * 10_000,
  ],
  [
    'Anthropic without the split: all writes are of the short kind',
    'https://docs.anthropic.com/en/api/messages',
    anthropicMessages,
    { input_tokens: 9, output_tokens: 8, cache_read_input_tokens: null, cache_creation_input_tokens: 5 },
    9 + 8 * 10 + 5 * 1_000,
  ],
  [
    'Gemini: cached content is part of the prompt; thoughts and what tools put into the prompt stand beside',
    'https://ai.google.dev/api/generate-content#UsageMetadata',
    geminiGenerate,
    {
      promptTokenCount: 9,
      cachedContentTokenCount: 4,
      candidatesTokenCount: 8,
      thoughtsTokenCount: 6,
      toolUsePromptTokenCount: 2,
      totalTokenCount: 25,
    },
    5 + 2 + (8 + 6) * 10 + 4 * 100,
  ],
];

describe('OM7, OM10: usage is priced by the arithmetic of its provider', () => {
  test.each(cases)('%s (%s)', (_name, _source, { provider, answer }, said, nanoUsd) => {
    const usage = answer.usageOf(said);
    expect(usage && price.costNanoUsd({ provider, model: 'm', usage })).toBe(BigInt(nanoUsd));
  });
});
