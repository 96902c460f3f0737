/** The `rate_limit` block of a configuration file. */
import { z } from 'zod';
import { providerRequestsPerMinute } from './presets.ts';
import { type Rule, type Strategy, type TierLimits, usd } from './rule.ts';

const requests = z.int().min(1).max(1_000_000_000).optional();
const tokens = z.int().min(1).max(1_000_000_000_000).optional();

const amounts = {
  requests_per_second: requests,
  requests_per_minute: requests,
  requests_per_hour: requests,
  requests_per_day: requests,
  tokens_per_second: tokens,
  tokens_per_minute: tokens,
  tokens_per_hour: tokens,
  tokens_per_day: tokens,
  /** Most calls at once. */
  max_concurrent: z.int().min(1).max(1_000_000).optional(),
  /** US dollars in any hour. Always counted in a sliding window, whatever the strategy: a budget is hard. */
  max_cost_per_hour: z.number().min(0.000_001).max(1_000_000).optional(),
  /** Most requests at once, under each of the request rates. @default the rate's number; half of it where strict; 1 for leaky_bucket */
  burst: z.int().min(1).max(1_000_000_000).optional(),
};

const tierBlock = z.strictObject(amounts);
const limitBlock = z.strictObject({
  ...amounts,
  /** Of a token bucket: never more than the number in any window of the period. */
  strict: z.boolean().default(false),
});
const providerBlock = limitBlock.extend({
  /** Takes the published requests per minute of openai, anthropic or gemini where `requests_per_minute` is not given. */
  preset: z.boolean().default(false),
});
const name = z.string().regex(/^[\w.-]{1,30}$/, { error: 'must be 1 to 30 letters, digits and . _ -' });

/** The schema of the block. Parsing refuses unknown keys and what the strategy cannot do, each with its path. */
export const rateLimitConfig = z
  .strictObject({
    enabled: z.boolean().default(true),
    strategy: z.enum(['token_bucket', 'fixed_window', 'sliding_window', 'leaky_bucket']).default('token_bucket'),
    /** Where what was used is kept; the app connects the others. */
    storage: z.enum(['memory', 'redis', 'postgres']).default('memory'),
    /** Processes that share the storage: while it is away, each spends that part of the limits. */
    instances: z.int().min(1).max(10_000).default(1),
    /** All requests together. */
    global: limitBlock.optional(),
    /** Each user: the API key, the DID, or the address. */
    per_user: limitBlock.optional(),
    /** Each endpoint by its name, all users together. */
    per_endpoint: z.record(name, limitBlock).optional(),
    /** Each model provider by its name, all users together. */
    llm_providers: z.record(name, providerBlock).optional(),
    /** Users of a tier; what a tier does not name is as in `per_user`, and has to go with what it names. */
    tiers: z.record(name, tierBlock).optional(),
  })
  .superRefine((config, context) => {
    for (const { path, block = {}, tiers } of sectionsOf(config)) {
      const common = problemOf(config.strategy, block);
      if (common) context.addIssue({ code: 'custom', path: [...path, common.key], message: common.message });
      for (const [tier, own] of Object.entries(tiers)) {
        const problem = problemOf(config.strategy, { ...block, ...given(own) });
        // Told once, where it stands.
        if (!problem || (problem.message === common?.message && !(problem.key in own))) continue;
        context.addIssue({ code: 'custom', path: ['tiers', tier, problem.key], message: problem.message });
      }
    }
    for (const [provider, { preset }] of Object.entries(config.llm_providers ?? {})) {
      if (!preset || Object.hasOwn(providerRequestsPerMinute, provider)) continue;
      const message = `there is one only for ${Object.keys(providerRequestsPerMinute).join(', ')}`;
      context.addIssue({ code: 'custom', path: ['llm_providers', provider, 'preset'], message });
    }
  })
  .prefault({});

/** The block, parsed: with its defaults. */
export type RateLimitConfig = z.output<typeof rateLimitConfig>;

/** The rules of a block, and where the app has to keep what they count. */
export interface ConfiguredLimits {
  /** For `createRateLimiter`. */
  readonly rules: readonly Rule[];
  /** For `redis` and `postgres` the app connects a store and gives it to `createRateLimiter` as well. */
  readonly storage: RateLimitConfig['storage'];
  /** For `guardStore` around that store. */
  readonly instances: number;
}

/** One rule for each number of the block; none where it is not enabled. */
export function rateLimitFromConfig(config: RateLimitConfig): ConfiguredLimits {
  const { enabled, strategy, storage, instances } = config;
  return {
    rules: enabled ? sectionsOf(config).flatMap((section) => rulesOf(strategies[strategy], section)) : [],
    storage,
    instances,
  };
}

type Amounts = Partial<z.output<typeof tierBlock>>;
type Amount = Exclude<keyof Amounts, 'burst'>;
type Block = Amounts & { readonly strict?: boolean };

/** A part of the block that makes rules of one scope. */
interface Section extends Pick<Rule, 'scope' | 'when'> {
  readonly path: readonly string[];
  /** How the names of its rules begin. */
  readonly prefix: string;
  readonly block: Block | undefined;
  readonly tiers: Readonly<Record<string, Amounts>>;
}

const strategies = {
  token_bucket: 'token-bucket',
  fixed_window: 'fixed-window',
  sliding_window: 'sliding-window',
  leaky_bucket: 'leaky-bucket',
} as const;

const amountRules: Readonly<Record<Amount, Pick<Rule, 'unit' | 'per'>>> = {
  requests_per_second: { unit: 'requests', per: 'second' },
  requests_per_minute: { unit: 'requests', per: 'minute' },
  requests_per_hour: { unit: 'requests', per: 'hour' },
  requests_per_day: { unit: 'requests', per: 'day' },
  tokens_per_second: { unit: 'tokens', per: 'second' },
  tokens_per_minute: { unit: 'tokens', per: 'minute' },
  tokens_per_hour: { unit: 'tokens', per: 'hour' },
  tokens_per_day: { unit: 'tokens', per: 'day' },
  max_concurrent: { unit: 'concurrency' },
  max_cost_per_hour: { unit: 'cost', per: 'hour' },
};

function sectionsOf({
  global,
  per_user: perUser,
  per_endpoint: perEndpoint,
  llm_providers: providers,
  tiers = {},
}: Sections): Section[] {
  return [
    { path: ['global'], prefix: 'global', scope: 'global', block: global, tiers: {} },
    { path: ['per_user'], prefix: 'user', scope: 'user', block: perUser, tiers },
    ...Object.entries(perEndpoint ?? {}).map(([endpoint, block]): Section => ({
      path: ['per_endpoint', endpoint],
      prefix: `endpoint_${endpoint}`,
      scope: 'endpoint',
      when: { endpoint },
      block,
      tiers: {},
    })),
    ...Object.entries(providers ?? {}).map(([provider, { preset, ...block }]): Section => ({
      path: ['llm_providers', provider],
      prefix: `provider_${provider}`,
      scope: 'provider',
      when: { provider },
      block: preset ? { requests_per_minute: presetOf(provider), ...given(block) } : block,
      tiers: {},
    })),
  ];
}

type Sections = Pick<RateLimitConfig, 'global' | 'per_user' | 'per_endpoint' | 'llm_providers' | 'tiers'>;

function rulesOf(strategy: Strategy, section: Section): Rule[] {
  const { prefix, scope, when, block = {}, tiers: tierBlocks } = section;
  return (Object.keys(amountRules) as Amount[]).flatMap((amount) => {
    const { unit = 'requests', per } = amountRules[amount];
    const limit = limitOf(amount, block) ?? Number.POSITIVE_INFINITY;
    const tiers = Object.fromEntries(
      Object.entries(tierBlocks).flatMap(([tier, own]) => {
        const limits = tierLimitsOf(amount, unit, own);
        return Object.keys(limits).length === 0 ? [] : [[tier, limits]];
      }),
    );
    if (limit === Number.POSITIVE_INFINITY && Object.values(tiers).every((own) => own.limit === undefined)) return [];
    const rule: Rule = {
      name: `${prefix}_${amount}`,
      unit,
      scope,
      ...(when !== undefined && { when }),
      limit,
      ...(per !== undefined && { per }),
      // A budget is hard, so it never is a bucket that refills, nor a window with a boundary.
      ...(unit !== 'concurrency' && { strategy: unit === 'cost' ? 'sliding-window' : strategy }),
      ...(unit === 'requests' && block.burst !== undefined && { burst: block.burst }),
      ...(strategy === 'token-bucket' &&
        unit !== 'cost' &&
        unit !== 'concurrency' &&
        block.strict === true && { strict: true }),
      ...(Object.keys(tiers).length > 0 && { tiers }),
    };
    return [rule];
  });
}

function tierLimitsOf(amount: Amount, unit: Rule['unit'], own: Amounts): TierLimits {
  const limit = limitOf(amount, own);
  const burst = unit === 'requests' ? own.burst : undefined;
  return { ...(limit !== undefined && { limit }), ...(burst !== undefined && { burst }) };
}

function limitOf(amount: Amount, block: Amounts): number | undefined {
  const value = block[amount];
  return value !== undefined && amount === 'max_cost_per_hour' ? usd(value) : value;
}

/** What the strategy cannot do with a block. */
function problemOf(
  strategy: RateLimitConfig['strategy'],
  block: Block,
): { readonly key: string; readonly message: string } | undefined {
  const bucket = strategy === 'token_bucket' || strategy === 'leaky_bucket';
  if (block.burst !== undefined && !bucket) return { key: 'burst', message: `has no meaning for ${strategy}` };
  if (block.strict !== true) return undefined;
  if (strategy !== 'token_bucket') return { key: 'strict', message: `has no meaning for ${strategy}` };
  const rates = ['requests_per_second', 'requests_per_minute', 'requests_per_hour', 'requests_per_day'] as const;
  const least = Math.min(...rates.map((rate) => block[rate] ?? Number.POSITIVE_INFINITY));
  if (block.burst === undefined || block.burst <= least) return undefined;
  return { key: 'burst', message: `must be at most ${least}, the least rate, where strict` };
}

function presetOf(provider: string): number | undefined {
  return Object.hasOwn(providerRequestsPerMinute, provider)
    ? providerRequestsPerMinute[provider as keyof typeof providerRequestsPerMinute]
    : undefined;
}

function given<T extends object>(block: T): Partial<T> {
  return Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined)) as Partial<T>;
}
