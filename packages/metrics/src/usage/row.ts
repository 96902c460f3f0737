/** What the ledger counts, and by what. */
import { createHash } from 'node:crypto';
import { requireOption } from '@sage-adk/core';

/**
 * Whose usage it is. What is not known is the empty text.
 *
 * Messages are counted in rows with a session and no model, calls of a model in rows with a model and no session: their number grows with the sum of both, not with the product.
 */
export interface UsageKey {
  readonly tenant: string;
  readonly user: string;
  readonly agent: string;
  readonly session: string;
  readonly provider: string;
  readonly model: string;
}

/** What was used. All are sums, so rows of one key add up in any order. */
export interface UsageCounts {
  /** Requests to the agent that ended. */
  readonly messages: number;
  /** Of those: ended in an error or a timeout. */
  readonly failedMessages: number;
  /** Logical calls of a model that ended. */
  readonly calls: number;
  /** Of those: ended in an error or a timeout. */
  readonly failedCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of `inputTokens`. */
  readonly cachedInputTokens: number;
  /** Part of `inputTokens`. */
  readonly cacheWriteTokens: number;
  /** Part of `outputTokens`. */
  readonly reasoningTokens: number;
  /** Calls that a model answered, at least in part, and whose cost is not known. */
  readonly unknownCostCalls: number;
  /** Billionths of a US dollar, of the calls whose cost is known. */
  readonly costNanoUsd: bigint;
}

/** The sum of one key on one day. */
export interface UsageRow extends UsageKey, UsageCounts {}

export const keyNames = ['tenant', 'user', 'agent', 'session', 'provider', 'model'] as const;

/** All counts but the cost. */
export const numberNames = [
  'messages',
  'failedMessages',
  'calls',
  'failedCalls',
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'unknownCostCalls',
] as const;

export const noUsage: UsageCounts = {
  messages: 0,
  failedMessages: 0,
  calls: 0,
  failedCalls: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  unknownCostCalls: 0,
  costNanoUsd: 0n,
};

/** A {@link UsageCounts} that is being added up. */
export type UsageSum = { -readonly [K in keyof UsageCounts]: UsageCounts[K] };

export function addUsage(sum: UsageSum, counts: Partial<UsageCounts>): void {
  for (const name of numberNames) sum[name] += counts[name] ?? 0;
  sum.costNanoUsd += counts.costNanoUsd ?? 0n;
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Stores keep a cost in 64 bits. */
const costBound = 2n ** 63n;

export function isCost(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value < costBound;
}

/** Refuses what a store would refuse, and with it all that is written in the same batch. */
export function requireCounts(counts: Partial<UsageCounts>): void {
  for (const name of numberNames) requireOption(name, counts[name] ?? 0, 'a whole number of at least 0', isCount);
  requireOption('costNanoUsd', counts.costNanoUsd ?? 0n, 'a bigint from 0 to below 2^63', isCost);
}

/** The key as one text, for maps. */
export function keyText(key: UsageKey): string {
  return JSON.stringify(keyNames.map((name) => key[name]));
}

export function keyOfText(text: string): UsageKey {
  const parts = JSON.parse(text) as readonly string[];
  return Object.fromEntries(keyNames.map((name, i) => [name, parts[i] ?? ''])) as unknown as UsageKey;
}

const longestText = 200;

/** A text that every store keeps as it is. A long one is cut, and its digest keeps it apart from others that begin alike. */
export function storable(text: string): string {
  const clean = text.replaceAll('\0', '\uFFFD').toWellFormed();
  if (clean.length <= longestText) return clean;
  const digest = createHash('sha256').update(clean).digest('hex').slice(0, 16);
  return `${clean.slice(0, longestText - 17).toWellFormed()}~${digest}`;
}
