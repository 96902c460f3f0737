/** The `recovery` block of a configuration file. */
import { z } from 'zod';
import type { BreakerOptions } from './breaker/options.ts';
import type { CircuitBreakersOptions } from './breaker/registry.ts';
import { type ConfiguredDeadLetters, deadLetterConfig, deadLettersFromConfig } from './dead-letters/config.ts';
import type { RetryOptions } from './retry/retry.ts';

const seconds = z.number().positive();
const ratio = z.number().positive().max(1);
const pattern = z.string().min(1).refine(isPattern, { error: 'wanted a regular expression' });

const breakerKeys = {
  /** Share of failures in the window that opens it. */
  failure_ratio: ratio.optional(),
  /** Fewer calls in the window decide nothing. */
  min_calls: z.int().min(1).optional(),
  /** Length of the window, in seconds. */
  window: seconds.optional(),
  /** A success that took this many seconds is slow. */
  slow_call: seconds.optional(),
  /** Share of slow calls that opens it. */
  slow_ratio: ratio.optional(),
  /** The first rest, in seconds; each one in a row is twice as long. */
  reset_timeout: seconds.optional(),
  /** The longest rest, in seconds. */
  max_reset_timeout: seconds.optional(),
  /** A call of the recovery that said nothing for this many seconds counts as failed. */
  probe_timeout: seconds.optional(),
};

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
    fallback: z
      .strictObject({
        enabled: z.boolean().default(false),
        /** Models in place of the first, by priority. */
        llm_chain: z
          .array(
            z.strictObject({
              provider: z.string().min(1),
              model: z.string().min(1),
              /** Lower comes first. */
              priority: z.int(),
            }),
          )
          .default([]),
        /** Which of all models comes first: the first one and then by priority, from expensive to cheap, or from high quality to low. */
        order: z.enum(['priority', 'cost', 'quality']).default('priority'),
        /** A stream that breaks off after something of it was seen fails, or says so and begins again with the next model. */
        on_cut: z.enum(['fail', 'restart']).default('fail'),
        /** Answers from earlier ones where no model answers. */
        cached_responses: z.boolean().default(false),
        /** Answers to common messages where no model answers; the first pattern that is in the message, in any case of letters, answers. */
        patterns: z.array(z.strictObject({ pattern, answer: z.string().min(1) })).default([]),
        /** The answer where nothing else gave one. */
        default_message: z.string().min(1).optional(),
      })
      .prefault({}),
    dlq: deadLetterConfig,
    circuit_breaker: z
      .strictObject({
        enabled: z.boolean().default(true),
        ...breakerKeys,
        /** What differs for single dependencies. */
        dependencies: z.record(z.string(), z.strictObject(breakerKeys)).default({}),
      })
      .prefault({}),
  })
  .prefault({});

export type RecoveryConfig = z.output<typeof recoveryConfig>;

/** What the `fallback` block asks for: the parts of a chain, whose calls only the application knows. */
export interface FallbackPlan {
  /** One for each model, named `<provider>/<model>`. */
  readonly targets: readonly {
    readonly name: string;
    readonly provider: string;
    readonly model: string;
    readonly priority: number;
  }[];
  readonly order: 'priority' | 'cost' | 'quality';
  readonly onCut: 'fail' | 'restart';
  readonly cachedResponses: boolean;
  readonly patterns: readonly { readonly pattern: RegExp; readonly answer: string }[];
  readonly defaultMessage: string | undefined;
}

/** Options for `createRetry`, `createCircuitBreakers` and dead letters, and the plan of a fallback chain; false where a file says not to have one. */
export function recoveryFromConfig({ retry, circuit_breaker: breaker, fallback, dlq }: RecoveryConfig): {
  readonly retry: Pick<RetryOptions, 'maxAttempts' | 'jitter' | 'multiplier' | 'budget'>;
  readonly breaker: CircuitBreakersOptions | false;
  readonly deadLetters: ConfiguredDeadLetters | false;
  readonly fallback: FallbackPlan | false;
} {
  return {
    retry: {
      maxAttempts: retry.max_attempts,
      jitter: retry.jitter ? 'full' : 'none',
      multiplier: retry.backoff_multiplier,
      ...(retry.retry_budget !== undefined && { budget: { maxPerWindow: retry.retry_budget } }),
    },
    deadLetters: deadLettersFromConfig(dlq),
    breaker: breaker.enabled && {
      ...breakerFrom(breaker),
      dependencies: Object.fromEntries(
        Object.entries(breaker.dependencies).map(([name, keys]) => [name, breakerFrom(keys)]),
      ),
    },
    fallback: fallback.enabled && {
      targets: fallback.llm_chain.map(({ provider, model, priority }) => ({
        name: `${provider}/${model}`,
        provider,
        model,
        priority,
      })),
      order: fallback.order,
      onCut: fallback.on_cut,
      cachedResponses: fallback.cached_responses,
      patterns: fallback.patterns.map(({ pattern: source, answer }) => ({ pattern: new RegExp(source, 'iu'), answer })),
      defaultMessage: fallback.default_message,
    },
  };
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, 'iu') instanceof RegExp;
  } catch {
    return false;
  }
}

type BreakerKeys = z.output<z.ZodObject<typeof breakerKeys>>;

function breakerFrom(keys: BreakerKeys): BreakerOptions {
  const options: Readonly<Record<string, number | undefined>> = {
    failureRatio: keys.failure_ratio,
    minCalls: keys.min_calls,
    windowMs: inMs(keys.window),
    slowMs: inMs(keys.slow_call),
    slowRatio: keys.slow_ratio,
    openMs: inMs(keys.reset_timeout),
    maxOpenMs: inMs(keys.max_reset_timeout),
    probeTimeoutMs: inMs(keys.probe_timeout),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function inMs(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * 1_000;
}
