import type { Usage } from '@sage-adk/core';
import { estimateOutput } from '../request/estimate.ts';
import type { LlmCall } from '../call.ts';
import type { Progress } from './progress.ts';

/**
 * What an answer used that ended before it was whole: what the provider said so far, completed by an estimate from what came.
 * Undefined where nothing came that could have been counted.
 */
export function partialUsage(progress: Progress, call: Pick<LlmCall, 'estimateInput'>): Usage | undefined {
  const { usage } = progress.facts();
  const { contents, contentBytes } = progress;
  if (usage === undefined && contents === 0) return undefined;
  const inputTokens = usage?.inputTokens ?? call.estimateInput();
  if (inputTokens === undefined) return undefined;
  // Until its end, a provider may tell no more of the output than that it began.
  const outputTokens = Math.max(usage?.outputTokens ?? 0, contents === 0 ? 0 : estimateOutput(contents, contentBytes));
  return { ...usage, inputTokens, outputTokens };
}
