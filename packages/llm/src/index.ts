export type { Fetch } from './call.ts';
export { errors } from './errors.ts';
export { type LlmPolicies, wrapFetch } from './wrap-fetch.ts';
