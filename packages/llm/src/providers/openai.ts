/**
 * OpenAI's chat completions, responses and embeddings, and whoever speaks the same.
 *
 * Its input count holds the cached tokens, its output count the reasoning.
 *
 * @see https://platform.openai.com/docs/api-reference
 */
import { countOf, memberOf, type Provider, toUsage } from './provider.ts';

const apis: Readonly<Record<string, string>> = {
  '/chat/completions': 'chat',
  '/responses': 'responses',
  '/embeddings': 'embeddings',
};

export const openai: Provider = {
  name: 'openai',
  detect(path) {
    const [ending = ''] = /\/(?:chat\/completions|responses|embeddings)$/.exec(path) ?? [];
    const api = apis[ending];
    return api === undefined ? undefined : { api };
  },
  paths: { usage: 'usage', model: 'model', finishReason: ['choices.finish_reason', 'status'] },
  usageOf(usage) {
    const inputDetails = memberOf(usage, 'prompt_tokens_details') ?? memberOf(usage, 'input_tokens_details');
    const outputDetails = memberOf(usage, 'completion_tokens_details') ?? memberOf(usage, 'output_tokens_details');
    return toUsage({
      inputTokens: countOf(usage, 'prompt_tokens') ?? countOf(usage, 'input_tokens'),
      outputTokens: countOf(usage, 'completion_tokens') ?? countOf(usage, 'output_tokens'),
      cachedInputTokens: countOf(inputDetails, 'cached_tokens'),
      cacheWriteTokens: undefined,
      reasoningTokens: countOf(outputDetails, 'reasoning_tokens'),
    });
  },
};
