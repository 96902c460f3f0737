/** What the adapters are made of, for a server of another kind. */
export { addressSubject, clientAddress, type RequestFrom } from './address.ts';
export { rateLimitBody, type RateLimitBody } from './body.ts';
export { type Denial, denialOf } from './denial.ts';
export type { FieldDialect } from './fields.ts';
export { forwardedAddress, type ForwardedField } from './forwarded.ts';
export { rateLimitHeaders, type RateLimitHeaders } from './headers.ts';
export { type RateLimitFieldOptions, rateLimitFields, type RateLimitFields } from './ietf.ts';
export { rateLimitProblem, type RateLimitProblem } from './problem.ts';
