import type { LimiterPolicy } from '@sage-adk/core';
import type { CheckSpec } from '@sage-adk/health';
import { createRateLimiter, type RateLimiter, type Rule } from '@sage-adk/ratelimit';
import { rateLimitFromConfig } from '@sage-adk/ratelimit/config';
import { limiterPolicy } from '@sage-adk/ratelimit/policy';
import { applyProviderHeaders } from '@sage-adk/ratelimit/provider-headers';
import type { Closing } from '../closing.ts';
import type { AgentConfig } from '../config/schema.ts';
import { type Admit, createAdmission } from './admission.ts';
import { openStore } from './store.ts';

/** The `rate_limit` block at work. */
export interface Limits {
  /** What each request passes before anything is done for it. */
  readonly admit: Admit;
  /** What each call of a model takes its tokens and money from, and gives back what it did not use; undefined where nothing limits them. */
  readonly model: LimiterPolicy | undefined;
  /** Lowers the limits of a provider to what the header fields of its answer say is left. Changes nothing where it has no limit here. */
  hear(provider: string, headers: Headers): void;
  /** Whether some limit counts money. */
  readonly countsCost: boolean;
  /** Whether what the limits are kept in answers. */
  readonly checks: readonly CheckSpec[];
}

/**
 * Makes the limits and, where they are shared, connects what they are kept in.
 *
 * Two limiters share the rules: one counts requests when they come and while they run; the other tokens, money, and all that holds for one provider, at
 * each call of a model. So every rule counts one thing once.
 */
export async function createLimits(config: AgentConfig, closing: Closing): Promise<Limits> {
  const { rules, instances } = rateLimitFromConfig(config.rate_limit);
  const { store, checks } = await openStore(config, rules.length > 0, instances, closing);
  const limiterOf = (own: readonly Rule[]): RateLimiter =>
    closing.add(createRateLimiter({ rules: own, ...(store !== undefined && own.length > 0 && { store }) }));
  const ofModel = rules.filter((rule) => !isOfRequests(rule));
  const ofRequests = rules.filter(isOfRequests);
  const modelLimiter = ofModel.length === 0 ? undefined : limiterOf(ofModel);
  // Last, so that it is closed first: slots that come back are told to storage that is still open.
  const holds = ofRequests.some(({ unit }) => unit === 'concurrency');
  return {
    admit: closing.add(createAdmission(limiterOf(ofRequests), holds)).admit,
    model: modelLimiter && limiterPolicy(modelLimiter),
    hear(provider, headers) {
      if (modelLimiter === undefined) return;
      // The next answer says it again.
      applyProviderHeaders(modelLimiter, { provider }, headers).catch(() => {});
    },
    countsCost: ofModel.some(({ unit }) => unit === 'cost'),
    checks,
  };
}

function isOfRequests({ unit, scope }: Rule): boolean {
  return scope !== 'provider' && (unit === undefined || unit === 'requests' || unit === 'concurrency');
}
