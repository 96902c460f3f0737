import type { Usage } from '@sage-adk/core';

/** What is known of one family of APIs: its paths and the members of its answers. */
export interface Provider {
  /** As PricePort and metrics know it. */
  readonly name: string;
  /** Which API a path is, whatever the host: proxies and gateways keep the paths. Undefined where it is none of this provider's. */
  detect(path: string): Endpoint | undefined;
  /** Where in a JSON answer things stand. */
  readonly paths: AnswerPaths;
  /** Reads the member at `paths.usage`; undefined where it is not a usage. */
  usageOf(usage: unknown): Usage | undefined;
}

export interface Endpoint {
  /** Bounded, for labels. */
  readonly api: string;
  /** Where the path names it; else the body of the request does. */
  readonly model?: string;
  /** Whether the path asks for a stream; else the body of the request does. */
  readonly stream?: boolean;
}

/** Names of members, joined by dots; elements of an array stand where the array does. */
export interface AnswerPaths {
  readonly usage: string;
  readonly model: string;
  /** The first that is there counts. */
  readonly finishReason: readonly string[];
}

/** A member that holds a count of tokens; undefined where it holds anything else. */
export function countOf(holder: unknown, name: string): number | undefined {
  const value = memberOf(holder, name);
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A member of what may be no object at all. */
export function memberOf(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[name] : undefined;
}

/** The usage without the parts that are not known. */
export function toUsage(counts: { readonly [N in keyof Usage]: Usage[N] | undefined }): Usage | undefined {
  const { inputTokens, outputTokens = 0, cachedInputTokens, cacheWriteTokens, reasoningTokens } = counts;
  if (inputTokens === undefined) return undefined;
  return {
    inputTokens,
    outputTokens,
    ...(cachedInputTokens !== undefined && { cachedInputTokens }),
    ...(cacheWriteTokens !== undefined && { cacheWriteTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  };
}
