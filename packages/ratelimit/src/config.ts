/** The `rate_limit` block of a configuration file. */
import { z } from 'zod';
import type { RateLimiterOptions } from './limiter.ts';
import type { Rule } from './rule.ts';

const notYet = z.never({ error: 'is known but not supported yet' }).optional();

const periods = ['second', 'minute', 'hour', 'day'] as const;

const limits = z
  .strictObject({
    requests_per_second: z.int().min(1).max(10_000).optional(),
    requests_per_minute: z.int().min(1).max(600_000).optional(),
    requests_per_hour: z.int().min(1).max(36_000_000).optional(),
    requests_per_day: z.int().min(1).max(864_000_000).optional(),
    /** Most requests at once, under each of the rates. By default as many as the rate's number. */
    burst: z.int().min(1).max(1_000_000).optional(),
    /** Never more than the number in any window of the period. */
    strict: z.boolean().default(false),
    tokens_per_second: notYet,
    tokens_per_minute: notYet,
    tokens_per_hour: notYet,
    tokens_per_day: notYet,
    max_concurrent: notYet,
    max_cost_per_hour: notYet,
  })
  .superRefine((block, context) => {
    const least = Math.min(...periods.map((period) => block[`requests_per_${period}`] ?? Number.POSITIVE_INFINITY));
    if (!block.strict || block.burst === undefined || block.burst <= least) return;
    context.addIssue({
      code: 'custom',
      path: ['burst'],
      message: `must be at most ${least}, the least rate, where strict`,
    });
  });

export const rateLimitConfig = z
  .strictObject({
    enabled: z.boolean().default(true),
    strategy: oneOf('token_bucket', ['fixed_window', 'sliding_window', 'leaky_bucket']),
    storage: oneOf('memory', ['redis', 'postgres']),
    /** All requests together. */
    global: limits.optional(),
    /** Each user: the API key, the DID, or the address. */
    per_user: limits.optional(),
    per_endpoint: notYet,
    llm_providers: notYet,
    tiers: notYet,
  })
  .prefault({});

export type RateLimitConfig = z.output<typeof rateLimitConfig>;

/** Options for `createRateLimiter`: one rule for each rate; none where the block is not enabled. */
export function rateLimitFromConfig({ enabled, global, per_user: perUser }: RateLimitConfig): RateLimiterOptions {
  return { rules: enabled ? [...rulesOf('global', global), ...rulesOf('user', perUser)] : [] };
}

function rulesOf(scope: 'global' | 'user', block: z.output<typeof limits> | undefined): Rule[] {
  return periods.flatMap((per) => {
    const limit = block?.[`requests_per_${per}`];
    if (block === undefined || limit === undefined) return [];
    const { strict, burst } = block;
    return [{ name: `${scope}_requests_per_${per}`, scope, limit, per, strict, ...(burst !== undefined && { burst }) }];
  });
}

/** A choice of which one is there; the other known ones say that they are not yet. */
function oneOf<const T extends string>(supported: T, known: readonly unknown[]) {
  return z
    .literal(supported, {
      error: ({ input }) => (known.includes(input) ? `"${String(input)}" is known but not supported yet` : undefined),
    })
    .default(() => supported);
}
