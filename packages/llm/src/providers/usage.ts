/** Reading counts of tokens out of what a provider says. */
import type { Usage } from '@sage-adk/core';

/** A member that holds a count of tokens; undefined where it holds anything else. */
export function countOf(holder: unknown, name: string): number | undefined {
  return toCount(memberOf(holder, name));
}

export function toCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** What may have members; undefined for anything else. With their names at hand they are read many times faster than by {@link memberOf}. */
export function toHolder(value: unknown): object | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}

/** A member of what may be no object at all. */
export function memberOf(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[name] : undefined;
}

/** The text of a member; undefined where it is none. */
export function textOf(holder: unknown, name: string): string | undefined {
  const value = memberOf(holder, name);
  return typeof value === 'string' ? value : undefined;
}

/** The usage without the parts that are not known. */
export function toUsage(counts: { readonly [N in keyof Usage]: Usage[N] | undefined }): Usage | undefined {
  const { inputTokens, outputTokens = 0, cachedInputTokens, cacheWriteTokens } = counts;
  const { longCacheWriteTokens, reasoningTokens } = counts;
  if (inputTokens === undefined) return undefined;
  // Not by spreading what is there: that takes longer than all the rest, and several usages are made of each call.
  const usage: { -readonly [N in keyof Usage]: Usage[N] } = { inputTokens, outputTokens };
  if (cachedInputTokens !== undefined) usage.cachedInputTokens = cachedInputTokens;
  if (cacheWriteTokens !== undefined) usage.cacheWriteTokens = cacheWriteTokens;
  if (longCacheWriteTokens !== undefined) usage.longCacheWriteTokens = longCacheWriteTokens;
  if (reasoningTokens !== undefined) usage.reasoningTokens = reasoningTokens;
  return usage;
}
