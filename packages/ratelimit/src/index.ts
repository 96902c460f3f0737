export { type Decision, errorOf, type RuleState } from './decision.ts';
export { errors } from './errors.ts';
export { rateLimitBody, type RateLimitBody } from './http/body.ts';
export { rateLimitHeaders, type RateLimitHeaders } from './http/headers.ts';
export { addressKey, hashApiKey } from './keys.ts';
export { createRateLimiter, type RateLimiter, type RateLimiterOptions, type UsageRow } from './limiter.ts';
export {
  type Mode,
  type Period,
  type Rule,
  type Scope,
  type StorePolicy,
  type Strategy,
  type TierLimits,
  type Unit,
  usd,
} from './rule.ts';
