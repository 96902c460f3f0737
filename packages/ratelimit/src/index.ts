export type { CompiledRule } from './compile.ts';
export { type Decision, errorOf, type RuleState } from './decision.ts';
export { errors } from './errors.ts';
export { rateLimitBody, type RateLimitBody } from './http/body.ts';
export { rateLimitHeaders, type RateLimitHeaders } from './http/headers.ts';
export { addressKey, hashApiKey } from './keys.ts';
export type { Settled } from './lease.ts';
export {
  type Alternative,
  type Correction,
  createRateLimiter,
  type Limit,
  type RateLimiter,
  type RateLimiterOptions,
  type Released,
  type ReserveOptions,
  type SnapshotOptions,
  type UsageRow,
} from './limiter.ts';
export type { Denied, Reservation, Used } from './reservation.ts';
export type { RulePatch } from './rule-book.ts';
export type {
  Answer,
  AnswerSource,
  Ask,
  ChargeRequest,
  ConsumeRequest,
  DecideRequest,
  ExtendRequest,
  Finding,
  Holding,
  LimiterStore,
  LowerRequest,
  PeekRequest,
  ReserveRequest,
  Settlement,
  SettleRequest,
} from './stores/store.ts';
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
