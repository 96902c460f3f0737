/** What a provider says of its limits corrects ours: it knows of calls that we don't. */
import {
  type HeaderFields,
  type LimitSubject,
  parseRateLimitHeaders,
  parseRetryAfter,
  type RateLimitReading,
  requireWhole,
} from '@sage-adk/core';
import type { RuleState } from '../decision.ts';
import type { Correction, RateLimiter } from '../limiter.ts';

export type { Correction };

/** Options of {@link applyProviderHeaders}. */
export interface ProviderHeaderOptions {
  /** Longer waits are cut to this, in milliseconds: a header must not shut us out for a day. @default 3_600_000 */
  readonly longestBlockMs?: number;
  /** Wall-clock time of the response. @default now */
  readonly nowMs?: number;
}

/**
 * Takes over what the response of a model provider says: where it has less left than our rules think, they are lowered to it, never raised; where
 * it asks to wait, nothing is admitted until then.
 *
 * Reads `x-ratelimit-*` (OpenAI), `anthropic-ratelimit-*`, `retry-after-ms` and `retry-after`. Only enforced rules of the scope `provider` are corrected: all
 * of them by a wait, by what is left one of the unit that is told of: the one with the provider's own limit, else the one with the shortest period, so that a
 * minute's end never closes a day.
 * Returns what was corrected; empty where nothing was, and then the limiter's state is not touched.
 *
 * @param subject the one that the call was asked about; its `provider` counts.
 * @example
 * ```ts
 * const response = await fetch(url, request);
 * await applyProviderHeaders(limiter, { provider: 'openai' }, response.headers);
 * ```
 */
export async function applyProviderHeaders(
  limiter: Pick<RateLimiter, 'peek' | 'lower'>,
  subject: LimitSubject,
  headers: HeaderFields,
  { longestBlockMs = 3_600_000, nowMs = Date.now() }: ProviderHeaderOptions = {},
): Promise<readonly Correction[]> {
  requireWhole('longestBlockMs', longestBlockMs, 0);
  const readings = parseRateLimitHeaders(headers, nowMs);
  const waitMs = parseRetryAfter(headers, nowMs) ?? 0;
  if (readings.length === 0 && waitMs === 0) return [];
  const { rules } = await limiter.peek(subject);
  const candidates = rules.filter(({ scope, mode }) => scope === 'provider' && mode === 'enforce').sort(byPeriod);
  const corrections = readings.flatMap((reading) => correctionOf(reading, candidates));
  if (waitMs > 0) {
    const blockMs = Math.min(Math.ceil(waitMs), longestBlockMs);
    for (const { rule } of candidates) corrections.push({ rule, blockMs });
  }
  if (corrections.length > 0) await limiter.lower(subject, corrections);
  return corrections;
}

function correctionOf({ unit, limit, remaining }: RateLimitReading, candidates: readonly RuleState[]): Correction[] {
  const ours = candidates.filter((state) => state.unit === unit);
  const state = ours.find((candidate) => candidate.limit === limit) ?? ours[0];
  if (state === undefined || remaining === undefined || remaining >= state.remaining) return [];
  return [{ rule: state.rule, remaining }];
}

function byPeriod(a: RuleState, b: RuleState): number {
  return (a.periodMs ?? Number.MAX_VALUE) - (b.periodMs ?? Number.MAX_VALUE);
}
