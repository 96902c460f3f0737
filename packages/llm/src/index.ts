export type { Fetch } from './call.ts';
export { errors } from './errors.ts';
export type { LocalBody } from './local/local-answer.ts';
export type { AnswerCache, CachedAnswer, CacheRequest } from './middleware/cache.ts';
export type { StallOptions } from './middleware/stall.ts';
export type { CallFacts, LlmPolicies } from './pipeline.ts';
export { wrapFetch } from './wrap-fetch.ts';
