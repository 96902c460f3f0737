import type { Usage } from '@sage-adk/core';
import type { LlmCall } from '../call.ts';

/** A usage whose whole prompt was written to the provider's cache, for as long as the call may have it kept; undefined where it may not be written. */
export function withCacheWrite(call: LlmCall, { inputTokens, outputTokens }: Usage): Usage | undefined {
  if (!call.mayWriteCache()) return undefined;
  const longCacheWriteTokens = (call.mayWriteLongCache?.() ?? true) ? inputTokens : 0;
  return { inputTokens, outputTokens, cacheWriteTokens: inputTokens, longCacheWriteTokens };
}
