/**
 * Gemini's generateContent, on Google AI and on Vertex AI.
 *
 * Its prompt count holds the cached tokens; what tools put into the prompt and what the model thought are counted beside it, so they are added.
 *
 * @see https://ai.google.dev/api/generate-content#UsageMetadata
 */
import { countOf, type Provider, toUsage } from './provider.ts';

export const gemini: Provider = {
  name: 'gemini',
  detect(path) {
    const [, model, method] =
      /\/(?:models|tunedModels)\/([^/:]+):(generateContent|streamGenerateContent)$/.exec(path) ?? [];
    if (model === undefined) return undefined;
    return { api: 'generateContent', model, stream: method === 'streamGenerateContent' };
  },
  paths: { usage: 'usageMetadata', model: 'modelVersion', finishReason: ['candidates.finishReason'] },
  usageOf(usage) {
    const prompt = countOf(usage, 'promptTokenCount');
    const thoughts = countOf(usage, 'thoughtsTokenCount');
    return toUsage({
      inputTokens: prompt === undefined ? undefined : prompt + (countOf(usage, 'toolUsePromptTokenCount') ?? 0),
      outputTokens: (countOf(usage, 'candidatesTokenCount') ?? 0) + (thoughts ?? 0),
      cachedInputTokens: countOf(usage, 'cachedContentTokenCount'),
      cacheWriteTokens: undefined,
      reasoningTokens: thoughts,
    });
  },
};
