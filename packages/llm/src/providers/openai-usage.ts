import type { Usage } from '@sage-adk/core';
import { toCount, toHolder, toUsage } from './usage.ts';

/** What is read of it. */
export const openaiCounts = [
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'prompt_tokens_details.cached_tokens',
  'prompt_tokens_details.cache_write_tokens',
  'completion_tokens_details.reasoning_tokens',
  'prompt_cache_hit_tokens',
  'cached_tokens',
  'input_tokens',
  'input_tokens_details.cached_tokens',
  'input_tokens_details.cache_write_tokens',
  'output_tokens',
  'output_tokens_details.reasoning_tokens',
];

type Counts<Names extends string> = { readonly [N in Names]?: unknown };
type InputDetails = Counts<'cached_tokens' | 'cache_write_tokens'>;
type OutputDetails = Counts<'reasoning_tokens'>;

interface Said extends Counts<
  'prompt_tokens' | 'input_tokens' | 'completion_tokens' | 'output_tokens' | 'total_tokens'
> {
  readonly prompt_tokens_details?: unknown;
  readonly input_tokens_details?: unknown;
  readonly completion_tokens_details?: unknown;
  readonly output_tokens_details?: unknown;
  readonly prompt_cache_hit_tokens?: unknown;
  readonly cached_tokens?: unknown;
}

/**
 * OpenAI's counts, in the spelling of either of its APIs. The input holds the tokens of the cache, the output the reasoning.
 *
 * Some hosts leave the reasoning out of the output and count it in the total alone (xAI, Gemini behind this API); some tell hits of their cache beside the
 * details (DeepSeek, Moonshot).
 */
export function openaiUsage(usage: unknown): Usage | undefined {
  const said: Said | undefined = toHolder(usage);
  if (said === undefined) return undefined;
  const inputDetails: InputDetails | undefined =
    toHolder(said.prompt_tokens_details) ?? toHolder(said.input_tokens_details);
  const outputDetails: OutputDetails | undefined =
    toHolder(said.completion_tokens_details) ?? toHolder(said.output_tokens_details);
  const inputTokens = toCount(said.prompt_tokens) ?? toCount(said.input_tokens);
  const outputTokens = toCount(said.completion_tokens) ?? toCount(said.output_tokens) ?? 0;
  return toUsage({
    inputTokens,
    outputTokens: Math.max(outputTokens, (toCount(said.total_tokens) ?? 0) - (inputTokens ?? 0)),
    cachedInputTokens:
      toCount(inputDetails?.cached_tokens) ?? toCount(said.prompt_cache_hit_tokens) ?? toCount(said.cached_tokens),
    cacheWriteTokens: toCount(inputDetails?.cache_write_tokens),
    reasoningTokens: toCount(outputDetails?.reasoning_tokens),
  });
}
