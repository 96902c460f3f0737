import { describe, expect, test } from '@jest/globals';
import { anthropicMessages } from '../../src/providers/anthropic-messages.ts';
import { geminiGenerate } from '../../src/providers/gemini-generate.ts';
import { apis } from '../../src/providers/index.ts';
import { openaiUsage } from '../../src/providers/openai-usage.ts';
import { anthropicMessage, geminiContent, openaiChat, openaiEmbeddings, openaiResponses } from '../support/answers.ts';

describe('a path', () => {
  test.each([
    ['/v1/chat/completions', 'openai', 'chat'],
    ['/openai/deployments/mine/chat/completions', 'openai', 'chat'],
    ['/v1/completions', 'openai', 'completions'],
    ['/beta/completions', 'openai', 'completions'],
    ['/openai/deployments/mine/completions', 'openai', 'completions'],
    ['/v1/responses', 'openai', 'responses'],
    ['/v1/responses/compact', 'openai', 'responses'],
    ['/v1/embeddings', 'openai', 'embeddings'],
    ['/v1/messages', 'anthropic', 'messages'],
    ['/proxy/anthropic/v1/messages', 'anthropic', 'messages'],
    ['/v1beta/models/gemini-2.5-flash:generateContent', 'gemini', 'generateContent'],
    ['/v1beta/models/gemini-2.5-flash:streamGenerateContent', 'gemini', 'generateContent'],
    ['/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent', 'gemini', 'generateContent'],
    ['/v1beta/interactions', 'gemini', 'interactions'],
    ['/v1beta1/projects/p/locations/l/interactions', 'gemini', 'interactions'],
    ['/v1/projects/p/locations/l/endpoints/8123:streamGenerateContent', 'gemini', 'generateContent'],
    ['/v1/projects/p/locations/l/publishers/anthropic/models/claude-x:streamRawPredict', 'anthropic', 'messages'],
    ['/v1/projects/p/locations/l/endpoints/openapi/chat/completions', 'openai', 'chat'],
    ['/openai/v1/chat/completions', 'openai', 'chat'],
    ['/openai/deployments/mine/embeddings', 'openai', 'embeddings'],
    ['/api/v1/chat/completions', 'openai', 'chat'],
  ])('%s is of %s', (path, name, api) => {
    const found = apis.filter((one) => one.detect(path) !== undefined);
    expect(found.map((one) => [one.provider, one.name])).toEqual([[name, api]]);
  });

  test.each([
    '/v1/models',
    '/v1/messages/count_tokens',
    '/v1/messages/batches',
    '/v1/threads/thread_1/messages',
    '/v1/responses/resp_1/cancel',
    '/v1/chat/completions/chatcmpl-1',
    '/v1beta/models/gemini-2.5-flash:countTokens',
    '/v1beta/interactions/v1_1/cancel',
    '/api/interactions',
    '/',
  ])('%s is no call of a model', (path) => {
    expect(apis.filter((api) => api.detect(path) !== undefined)).toEqual([]);
  });

  test('of Gemini, and of Anthropic on Vertex AI, tells the model and whether it streams', () => {
    expect(geminiGenerate.detect('/v1beta/models/gemini-2.5-flash:streamGenerateContent')).toEqual({
      model: 'gemini-2.5-flash',
      stream: true,
    });
    expect(
      anthropicMessages.detect('/v1/projects/p/locations/l/publishers/anthropic/models/claude-x@20250929:rawPredict'),
    ).toEqual({ model: 'claude-x@20250929', stream: false });
  });

  test.each(['chat/completions', 'completions', 'embeddings'])(
    'of a deployment on Azure, %s, tells its name',
    (end) => {
      expect(apis.map((api) => api.detect(`/openai/deployments/mine/${end}`))).toContainEqual({ model: 'mine' });
    },
  );
});

describe('OM7: usage, with cached and cache-write tokens as part of the input and reasoning as part of the output', () => {
  test('of OpenAI chat completions', () => {
    expect(openaiUsage(openaiChat.usage)).toEqual({
      inputTokens: 1_117,
      outputTokens: 46,
      cachedInputTokens: 1_024,
      reasoningTokens: 12,
    });
  });

  test('of OpenAI responses', () => {
    expect(openaiUsage(openaiResponses.usage)).toEqual({
      inputTokens: 328,
      outputTokens: 87,
      cachedInputTokens: 128,
      reasoningTokens: 64,
    });
  });

  test('of OpenAI embeddings, which have no output', () => {
    expect(openaiUsage(openaiEmbeddings.usage)).toEqual({ inputTokens: 8, outputTokens: 0 });
  });

  test('of Anthropic, whose input count leaves the cache out', () => {
    expect(anthropicMessages.answer.usageOf(anthropicMessage.usage)).toEqual({
      inputTokens: 21 + 188 + 1_086,
      outputTokens: 393,
      cachedInputTokens: 1_086,
      cacheWriteTokens: 188,
      longCacheWriteTokens: 0,
    });
  });

  test('of Gemini, which counts thoughts and tool prompts beside', () => {
    const usage = geminiGenerate.answer.usageOf(geminiContent.usageMetadata);
    expect(usage).toEqual({
      inputTokens: 264 + 40,
      outputTokens: 31 + 900,
      cachedInputTokens: 200,
      reasoningTokens: 900,
    });
    expect((usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0)).toBe(geminiContent.usageMetadata.totalTokenCount);
  });

  test.each([
    [undefined],
    [null],
    ['many'],
    [[]],
    [{}],
    [{ prompt_tokens: '12', input_tokens: -1, promptTokenCount: 1.5 }],
    [{ prompt_tokens: Number.NaN, input_tokens: null, promptTokenCount: {} }],
  ])('is unknown, not 0, for %p', (usage) => {
    expect(apis.map((api) => api.answer.usageOf(usage))).toEqual(apis.map(() => undefined));
  });
});
