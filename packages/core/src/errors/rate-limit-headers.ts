import { type HeaderFields, headerOf } from './retry-after.ts';

/** What a provider says is left of one of its limits. */
export interface RateLimitReading {
  readonly unit: 'requests' | 'tokens' | 'input_tokens' | 'output_tokens';
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  /** Milliseconds until the limit is full again. */
  readonly resetMs: number | undefined;
}

const units = ['requests', 'tokens', 'input_tokens', 'output_tokens'] as const;

/**
 * Reads the rate-limit fields that model providers send: OpenAI's `x-ratelimit-*-requests` (reset as `6m0s`) and Anthropic's
 * `anthropic-ratelimit-requests-*` (reset as RFC 3339). Empty where there are none.
 *
 * @param nowMs wall-clock time that a date is compared with.
 */
export function parseRateLimitHeaders(fields: HeaderFields, nowMs: number = Date.now()): readonly RateLimitReading[] {
  return units.flatMap((unit) => {
    const name = unit.replace('_', '-');
    const read = (part: string): string | undefined =>
      headerOf(fields, `x-ratelimit-${part}-${name}`) ?? headerOf(fields, `anthropic-ratelimit-${name}-${part}`);
    const limit = toCount(read('limit'));
    const remaining = toCount(read('remaining'));
    if (limit === undefined && remaining === undefined) return [];
    return [{ unit, limit, remaining, resetMs: toDelayMs(read('reset'), nowMs) }];
  });
}

function toCount(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value.trim()) ? Number(value) : undefined;
}

const unitMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

function toDelayMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{4}-\d\d-\d\dT/.test(value)) {
    const atMs = Date.parse(value);
    return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
  }
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|[dhms])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== value.trim()) return undefined;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ''] ?? 0), 0);
}
