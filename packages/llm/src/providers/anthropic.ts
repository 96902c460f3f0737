/**
 * Anthropic's messages.
 *
 * Its input count leaves out what was read from or written to the cache; ours holds both, so they are added.
 *
 * @see https://docs.anthropic.com/en/api/messages
 */
import { countOf, type Provider, toUsage } from './provider.ts';

export const anthropic: Provider = {
  name: 'anthropic',
  // With the version: other APIs have paths that end in /messages.
  detect: (path) => (path.endsWith('/v1/messages') ? { api: 'messages' } : undefined),
  paths: { usage: 'usage', model: 'model', finishReason: ['stop_reason'] },
  usageOf(usage) {
    const plain = countOf(usage, 'input_tokens');
    const cachedInputTokens = countOf(usage, 'cache_read_input_tokens');
    const cacheWriteTokens = countOf(usage, 'cache_creation_input_tokens');
    return toUsage({
      inputTokens: plain === undefined ? undefined : plain + (cachedInputTokens ?? 0) + (cacheWriteTokens ?? 0),
      outputTokens: countOf(usage, 'output_tokens'),
      cachedInputTokens,
      cacheWriteTokens,
      reasoningTokens: undefined,
    });
  },
};
