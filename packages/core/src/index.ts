export type * from './catalogue-types.ts';
export { type Clock, type Random, systemClock, systemRandom, type Timer, type TimerOptions } from './clock.ts';
export { type Context, current, type LlmCallMark, type Principal, remainingMs, run } from './context/context.ts';
export { extract, inject } from './context/propagation.ts';
export type * from './contracts/health.ts';
export type * from './contracts/identity.ts';
export type * from './contracts/key-value-store.ts';
export type * from './contracts/llm.ts';
export { textOf } from './contracts/message.ts';
export type * from './contracts/message.ts';
export type * from './contracts/policies.ts';
export { defineErrors, type ErrorDefinition, type ErrorFactory, type ErrorOptions } from './errors/define-errors.ts';
export { optionErrors, requireNumber, requireOption, requireWhole } from './errors/options.ts';
export { parseRateLimitHeaders, type RateLimitReading } from './errors/rate-limit-headers.ts';
export { type HeaderFields, headerOf, parseRetryAfter } from './errors/retry-after.ts';
export {
  type ErrorCategory,
  type ErrorDetails,
  isSageError,
  SageError,
  type SageErrorFields,
} from './errors/sage-error.ts';
export { type Verdict, verdictOf } from './errors/verdict.ts';
export { compose, composeStream, type Middleware, type Named, type StreamMiddleware } from './middleware.ts';
export { begin } from './operations/begin.ts';
export { mirrorToDiagnosticsChannel } from './operations/diagnostics-channel.ts';
export { emit } from './operations/emit.ts';
export { observe, observerFailures, trace } from './operations/observe.ts';
export type * from './operations/observer.ts';
export { endOpen, openOperations } from './operations/open-operations.ts';
export { operate } from './operations/operate.ts';
export { operateStream } from './operations/operate-stream.ts';
export type * from './operations/operation.ts';
export { source, sources } from './operations/source.ts';
export type { Category, Outcome } from './outcome.ts';
export type { Source } from './shared.ts';
