export type { AnswerFinish, Behaviour, BytePlace, Place, ScriptedToolCall } from './behaviour.ts';
export { type ErrorName, errorNames } from './error-name.ts';
export { createFaultyProvider, type FaultyProvider, type FaultyProviderOptions } from './faulty-provider.ts';
export type { Billed, Counters, ReceivedRequest, RequestOutcome } from './received-request.ts';
export type { Rule } from './session.ts';
export { type Front, storm } from './weather.ts';
export type { LimitState, RateLimits } from './wire/rate-limit-headers.ts';
