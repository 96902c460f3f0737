import {
  type Clock,
  current,
  emit,
  operate,
  requireWhole,
  type RetryAttempt,
  type RetryPolicy,
  systemClock,
  verdictOf,
} from '@sage-adk/core';
import { sleep } from '@sage-adk/core/deadline';
import type { IBackoff } from 'cockatiel';
import type { Classification } from '../classify/classification.ts';
import { type Classifier, createClassifier } from '../classify/classifier.ts';
import { type BackoffOptions, createBackoff } from './backoff.ts';

export interface RetryOptions extends BackoffOptions {
  /** Tries in all, the first included. @default 3 */
  readonly maxAttempts?: number;
  /** Whether a second try is harmless where the first may have had its effect. @default false */
  readonly idempotent?: boolean;
  readonly classifier?: Classifier;
  readonly clock?: Clock;
}

/**
 * Tries a call again where that helps: transient errors only, after a backoff with jitter, never before the other side's Retry-After.
 *
 * A try that could not start before the context's deadline, or after an abort, is not made. The error of the last try is the caller's.
 * Each try is a `retry.attempt` operation.
 *
 * @example
 * ```ts
 * const retry = createRetry({ maxAttempts: 3, idempotent: true });
 * const answer = await retry.execute(({ signal }) => fetch(url, { signal }), { dependency: 'openai' });
 * ```
 */
export function createRetry({
  maxAttempts = 3,
  idempotent = false,
  classifier = createClassifier(),
  clock = systemClock,
  ...backoff
}: RetryOptions = {}): RetryPolicy {
  requireWhole('maxAttempts', maxAttempts, 1);
  const delays = createBackoff(backoff);
  const mayRetry = ({ retry }: Classification): boolean => retry === 'yes' || (retry === 'if-idempotent' && idempotent);
  return {
    async execute(call, { dependency = 'default', signal = current()?.signal ?? neverAborts } = {}) {
      let wait: IBackoff<unknown> | undefined;
      for (let attempt = 1; ; attempt++) {
        signal.throwIfAborted();
        const tried = await attemptOnce(call, { attempt, signal }, dependency, (error) => {
          const classification = classifier.classify(error, { signal });
          if (attempt === maxAttempts || !mayRetry(classification)) return { classification };
          wait = (wait ?? delays).next(undefined);
          return { classification, delayMs: fitting(Math.max(wait.duration, classification.waitMs ?? 0), clock) };
        });
        if ('value' in tried) return tried.value;
        if (tried.delayMs === undefined) throw tried.error;
        await sleep(tried.delayMs, { signal, clock });
      }
    },
  };
}

type Tried<T> = { readonly value: T } | { readonly error: unknown; readonly delayMs: number | undefined };

/** What an error is, and the wait before the next try; without a wait there is none. */
type Judge = (error: unknown) => { readonly classification: Classification; readonly delayMs?: number | undefined };

const neverAborts = new AbortController().signal;

function attemptOnce<T>(
  call: (attempt: RetryAttempt) => Promise<T>,
  attempt: RetryAttempt,
  dependency: string,
  judge: Judge,
): Promise<Tried<T>> {
  return operate('retry.attempt', { dependency, attempt: attempt.attempt }, async (operation): Promise<Tried<T>> => {
    try {
      return { value: await call(attempt) };
    } catch (error) {
      const { classification, delayMs } = judge(error);
      operation.set({ reason: classification.reason, ...(delayMs !== undefined && { delayMs }) });
      operation.settle(verdictOf(error, attempt.signal).outcome, error);
      if (classification.category === 'critical')
        emit('error.critical', { source: dependency, reason: classification.reason, message: messageOf(error) });
      return { error, delayMs };
    }
  });
}

/** The wait, if a try after it could still begin before the deadline. */
function fitting(delayMs: number, clock: Clock): number | undefined {
  const deadlineMs = current()?.deadlineMs;
  return deadlineMs === undefined || clock.monotonicMs() + delayMs < deadlineMs ? delayMs : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
