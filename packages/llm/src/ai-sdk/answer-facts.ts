/** What an answer of the AI SDK says of itself. */
import type { Usage } from '@sage-adk/core';
import { countOf, memberOf, textOf, toUsage } from '../providers/usage.ts';

/** The counts of V3 and V4: totals hold their parts. Undefined where the input was not counted. */
export function usageOf(usage: unknown): Usage | undefined {
  const input = memberOf(usage, 'inputTokens');
  const output = memberOf(usage, 'outputTokens');
  return toUsage({
    inputTokens: countOf(input, 'total'),
    outputTokens: countOf(output, 'total'),
    cachedInputTokens: countOf(input, 'cacheRead'),
    cacheWriteTokens: countOf(input, 'cacheWrite'),
    // Only Anthropic's own words tell it, which cost more.
    longCacheWriteTokens: countOf(memberOf(memberOf(usage, 'raw'), 'cache_creation'), 'ephemeral_1h_input_tokens'),
    reasoningTokens: countOf(output, 'reasoning'),
  });
}

/** In the provider's word, or that of the SDK where there is none. */
export function finishReasonOf(reason: unknown): string | undefined {
  return textOf(reason, 'raw') ?? textOf(reason, 'unified');
}
