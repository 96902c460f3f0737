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
export { createRetry, type RetryOptions } from './retry/retry.ts';
