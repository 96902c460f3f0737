export type { Classification, Reason } from './classify/classification.ts';
export {
  type Classifier,
  type ClassifierOptions,
  type ClassifierRule,
  type ClassifyOptions,
  createClassifier,
} from './classify/classifier.ts';
export type { ErrorFacts } from './classify/facts.ts';
export { type BackoffOptions, createBackoff, type Jitter } from './retry/backoff.ts';
export {
  createRetryBudgets,
  type RetryBudget,
  type RetryBudgetOptions,
  type RetryBudgets,
  type RetryBudgetSnapshot,
} from './retry/budget.ts';
export {
  createRetry,
  type ReasonRule,
  type Retry,
  type RetryCallOptions,
  type RetryOptions,
  type RetryRule,
} from './retry/retry.ts';
export { type CircuitBreaker, createCircuitBreaker } from './breaker/circuit-breaker.ts';
export type { BreakerHealth, BreakerOptions } from './breaker/options.ts';
export { type CircuitBreakers, type CircuitBreakersOptions, createCircuitBreakers } from './breaker/registry.ts';
export type { BreakerSnapshot } from './breaker/snapshot.ts';
export type { PermitWait } from './breaker/waiting-line.ts';
export type { BreakerState } from './breaker/state.ts';
export { errors } from './errors.ts';
export {
  type Bulkhead,
  type BulkheadOptions,
  type BulkheadSnapshot,
  createBulkhead,
  type WaitEnd,
} from './bulkhead/bulkhead.ts';
