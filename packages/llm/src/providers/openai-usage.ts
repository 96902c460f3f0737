import type { Usage } from '@sage-adk/core';
import { countOf, memberOf, toUsage } from './usage.ts';

/** OpenAI's counts, in the spelling of either of its APIs. The input holds the tokens of the cache, the output the reasoning. */
export function openaiUsage(usage: unknown): Usage | undefined {
  const inputDetails = memberOf(usage, 'prompt_tokens_details') ?? memberOf(usage, 'input_tokens_details');
  const outputDetails = memberOf(usage, 'completion_tokens_details') ?? memberOf(usage, 'output_tokens_details');
  return toUsage({
    inputTokens: countOf(usage, 'prompt_tokens') ?? countOf(usage, 'input_tokens'),
    outputTokens: countOf(usage, 'completion_tokens') ?? countOf(usage, 'output_tokens'),
    cachedInputTokens: countOf(inputDetails, 'cached_tokens'),
    cacheWriteTokens: countOf(inputDetails, 'cache_write_tokens'),
    reasoningTokens: countOf(outputDetails, 'reasoning_tokens'),
  });
}
