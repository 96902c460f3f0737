import type { Usage } from '@sage-adk/core';
import { countOf, memberOf, toUsage } from './usage.ts';

/**
 * OpenAI's counts, in the spelling of either of its APIs. The input holds the tokens of the cache, the output the reasoning.
 *
 * Some hosts leave the reasoning out of the output and count it in the total alone (xAI, Gemini behind this API); some tell hits of their cache beside the
 * details (DeepSeek, Moonshot).
 */
export function openaiUsage(usage: unknown): Usage | undefined {
  const inputDetails = memberOf(usage, 'prompt_tokens_details') ?? memberOf(usage, 'input_tokens_details');
  const outputDetails = memberOf(usage, 'completion_tokens_details') ?? memberOf(usage, 'output_tokens_details');
  const inputTokens = countOf(usage, 'prompt_tokens') ?? countOf(usage, 'input_tokens');
  const outputTokens = countOf(usage, 'completion_tokens') ?? countOf(usage, 'output_tokens') ?? 0;
  return toUsage({
    inputTokens,
    outputTokens: Math.max(outputTokens, (countOf(usage, 'total_tokens') ?? 0) - (inputTokens ?? 0)),
    cachedInputTokens:
      countOf(inputDetails, 'cached_tokens') ??
      countOf(usage, 'prompt_cache_hit_tokens') ??
      countOf(usage, 'cached_tokens'),
    cacheWriteTokens: countOf(inputDetails, 'cache_write_tokens'),
    reasoningTokens: countOf(outputDetails, 'reasoning_tokens'),
  });
}
