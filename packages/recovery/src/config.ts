/** The `recovery` block of a configuration file. */
import { z } from 'zod';
import type { RetryOptions } from './retry/retry.ts';

const notYet = z.never({ error: 'is known but not supported yet' }).optional();

export const recoveryConfig = z
  .strictObject({
    retry: z
      .strictObject({
        /** Tries in all, the first included. */
        max_attempts: z.int().min(1).max(10).default(3),
        /** Spreads waits over their whole length; false waits exactly. */
        jitter: z.boolean().default(true),
        /** Growth from one wait to the next. */
        backoff_multiplier: z.number().min(1).default(2),
        /** Most retries in ten seconds, beside the ratio of 0.2 of the calls. */
        retry_budget: z.int().min(0).optional(),
      })
      .prefault({}),
    fallback: notYet,
    dlq: notYet,
    circuit_breaker: notYet,
  })
  .prefault({});

export type RecoveryConfig = z.output<typeof recoveryConfig>;

/** Options for `createRetry`. */
export function recoveryFromConfig({ retry }: RecoveryConfig): {
  readonly retry: Pick<RetryOptions, 'maxAttempts' | 'jitter' | 'multiplier' | 'budget'>;
} {
  return {
    retry: {
      maxAttempts: retry.max_attempts,
      jitter: retry.jitter ? 'full' : 'none',
      multiplier: retry.backoff_multiplier,
      ...(retry.retry_budget !== undefined && { budget: { maxPerWindow: retry.retry_budget } }),
    },
  };
}
