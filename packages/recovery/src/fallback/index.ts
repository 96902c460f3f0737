export {
  createFallbackChain,
  type FallbackCallOptions,
  type FallbackChain,
  type FallbackOptions,
  type FallbackStream,
  type FallbackStreamOptions,
} from './chain.ts';
export { fallbackErrors } from './errors.ts';
export type { AttemptRecord, Outcome, Served } from './outcome.ts';
export {
  cachedResponses,
  type PatternRule,
  patternResponses,
  type ResponseTier,
  staticResponse,
  type TierAnswer,
} from './response-tier.ts';
export type { CutRule } from './stream.ts';
export type { Target, TargetContext, TargetOrder } from './target.ts';
