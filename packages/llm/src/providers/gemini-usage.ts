import type { Usage } from '@sage-adk/core';
import { countOf, toUsage } from './usage.ts';

/** What Gemini's APIs call their counts, each in its own words, in the order in which they mostly come. */
export type GeminiCounts = readonly [input: string, output: string, thoughts: string, cached: string, tools: string];

/** Reads a usage by its counts. That of the input holds the cached tokens; those of what tools put into it and of thoughts are counted beside, so they are added. */
export function geminiUsage([input, output, thoughts, cached, tools]: GeminiCounts) {
  return (usage: unknown): Usage | undefined => {
    const inputTokens = countOf(usage, input);
    const reasoningTokens = countOf(usage, thoughts);
    return toUsage({
      inputTokens: inputTokens === undefined ? undefined : inputTokens + (countOf(usage, tools) ?? 0),
      outputTokens: (countOf(usage, output) ?? 0) + (reasoningTokens ?? 0),
      cachedInputTokens: countOf(usage, cached),
      cacheWriteTokens: undefined,
      reasoningTokens,
    });
  };
}
