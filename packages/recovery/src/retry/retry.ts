import {
  begin,
  type Clock,
  current,
  emit,
  type Operation,
  requireWhole,
  type RetryAttempt,
  type RetryPolicy,
  systemClock,
  verdictOf,
} from '@sage-adk/core';
import { sleep } from '@sage-adk/core/deadline';
import type { IBackoff, IBackoffFactory, IPolicy } from 'cockatiel';
import { messageOf } from '../classify/bag.ts';
import { type Classification, meaningOf, type Reason } from '../classify/classification.ts';
import { type Classifier, createClassifier } from '../classify/classifier.ts';
import { late } from '../policy/late.ts';
import { requireOneOf } from '../policy/one-of.ts';
import { PolicyEvents } from '../policy/policy-events.ts';
import { type BackoffOptions, createBackoff } from './backoff.ts';
import { budgetsOf, createRetryBudgets, type RetryBudgetOptions, type RetryBudgets } from './budget.ts';

/** How often, and after which waits. */
export interface RetryRule extends BackoffOptions {
  /** Tries in all, the first included. @default 3 */
  readonly maxAttempts?: number;
  /** Whether a second try is harmless where the first may have had its effect. @default false */
  readonly idempotent?: boolean;
}

/** The rule for one reason; what it leaves out is as for all others. */
export interface ReasonRule extends RetryRule {
  /** Tries again even where the classifier sees no use, as after a new token. Never after an abort. @default false */
  readonly always?: boolean;
}

export interface RetryOptions extends RetryRule {
  /** Another rule for errors of a reason; false never tries those again. */
  readonly byReason?: Readonly<Partial<Record<Reason, ReasonRule | false>>>;
  /** Limits retries to a share of calls; options make budgets of this retry's own. @default what all retries of this process share, with all defaults */
  readonly budget?: RetryBudgets | RetryBudgetOptions | false;
  readonly classifier?: Classifier;
  readonly clock?: Clock;
}

export interface RetryCallOptions {
  /** Whose budget pays, and the name in observers; one of few. @default 'default' */
  readonly dependency?: string;
  /** @default the context's signal */
  readonly signal?: AbortSignal;
  /**
   * No try starts after this, on the clock's monotonic time, and none is made again after the context's deadline. A first try after that is left to whoever set it:
   * its signal ends it, in its own words.
   */
  readonly deadlineMs?: number;
  /** The clock's monotonic time, where the caller has just read it. */
  readonly nowMs?: number | undefined;
}

/** Fits the LLM boundary as core's RetryPolicy, and cockatiel's `wrap` as one of its policies. */
export interface Retry extends RetryPolicy, IPolicy<RetryAttempt> {
  execute<T>(call: (attempt: RetryAttempt) => PromiseLike<T> | T, options?: RetryCallOptions | AbortSignal): Promise<T>;
}

/**
 * Tries a call again where that helps: transient errors only, after a backoff with jitter, never before the other side's Retry-After.
 *
 * A try that could not start before the context's deadline, after an abort, or within the budget, is not made. The error of the last try is the
 * caller's, at once. Each try is a `retry.attempt` operation.
 *
 * @example
 * ```ts
 * const retry = createRetry({ maxAttempts: 3, idempotent: true, byReason: { rate_limited: { maxAttempts: 5 } } });
 * const answer = await retry.execute(({ signal }) => fetch(url, { signal }), { dependency: 'openai' });
 * ```
 */
export function createRetry(options: RetryOptions = {}): Retry {
  return new BudgetedRetry(options);
}

interface Rule {
  readonly maxAttempts: number;
  readonly idempotent: boolean;
  readonly always: boolean;
  readonly delays: IBackoffFactory<unknown>;
}

/** One call and its tries so far. */
interface Course {
  readonly dependency: string;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  readonly nowMs: number | undefined;
  attempt: number;
  waits: Map<Rule, IBackoff<unknown>> | undefined;
}

const reasons: readonly string[] = Object.keys(meaningOf);

const neverAborts = new AbortController().signal;

class BudgetedRetry extends PolicyEvents implements Retry {
  readonly #rule: Rule;
  readonly #byReason: ReadonlyMap<string, Rule | false>;
  readonly #budgets: RetryBudgets | false;
  readonly #classifier: Classifier;
  readonly #clock: Clock;

  constructor({ byReason = {}, budget, classifier = createClassifier(), clock = systemClock, ...rule }: RetryOptions) {
    super();
    this.#rule = toRule(rule);
    this.#byReason = new Map(
      Object.entries(byReason).map(([reason, own]) => [
        requireOneOf('byReason', reason, reasons),
        own && toRule({ ...rule, ...own }),
      ]),
    );
    this.#budgets = budget === undefined ? budgetsOf(clock) : toBudgets(budget, clock);
    this.#classifier = classifier;
    this.#clock = clock;
  }

  execute<T>(
    call: (attempt: RetryAttempt) => PromiseLike<T> | T,
    options: RetryCallOptions | AbortSignal = {},
  ): Promise<T> {
    const context = current();
    const {
      dependency = 'default',
      signal = context?.signal ?? neverAborts,
      deadlineMs = Number.POSITIVE_INFINITY,
      nowMs,
    }: RetryCallOptions = options instanceof AbortSignal ? { signal: options } : options;
    const lastMs = Math.min(deadlineMs, context?.deadlineMs ?? Number.POSITIVE_INFINITY);
    const course: Course = { dependency, signal, deadlineMs: lastMs, nowMs, attempt: 1, waits: undefined };
    const isLate = deadlineMs !== Number.POSITIVE_INFINITY && (nowMs ?? this.#clock.monotonicMs()) >= deadlineMs;
    if (isLate && !signal.aborted) return Promise.reject(late(dependency, 0));
    if (!this.watched) return this.#run(call, course);
    return this.tell(
      () => this.#run(call, course),
      (error) => this.#classifier.classify(error, { signal }).category === 'transient',
    );
  }

  // One function for all tries, with a handle of the operation: each await of a promise in between would cost every call.
  async #run<T>(call: (attempt: RetryAttempt) => PromiseLike<T> | T, course: Course): Promise<T> {
    const { dependency, signal } = course;
    if (this.#budgets !== false) this.#budgets.of(dependency).deposit(course.nowMs);
    let failure: unknown;
    for (; ; course.attempt++) {
      if (signal.aborted) signal.throwIfAborted();
      const { attempt } = course;
      // A wait may last longer than was meant.
      if (attempt > 1 && this.#clock.monotonicMs() >= course.deadlineMs) throw failure;
      const operation = begin('retry.attempt', { dependency, attempt });
      let delayMs: number | undefined;
      try {
        const value = await operation.run(() => call({ attempt, signal }));
        operation.end();
        return value;
      } catch (error) {
        failure = error;
        delayMs = this.#failed(error, course, operation);
        operation.end();
        if (delayMs === undefined) throw error;
      }
      await sleep(delayMs, { signal, clock: this.#clock });
    }
  }

  /** Tells of a try that failed. Returns the wait before the next one; undefined where there is none. */
  #failed(error: unknown, course: Course, operation: Operation<'retry.attempt'>): number | undefined {
    const { dependency, signal } = course;
    const classification = this.#classifier.classify(error, { signal });
    const { category, reason } = classification;
    const delayMs = this.#delayMs(classification, course);
    operation.set({ reason, ...(delayMs !== undefined && { delayMs }) });
    operation.settle(verdictOf(error, signal).outcome, error);
    if (category === 'critical') emit('error.critical', { source: dependency, reason, message: messageOf(error) });
    return delayMs;
  }

  /** The wait before the next try; undefined where there is none. The budget is asked last: what isn't tried isn't charged. */
  #delayMs(classification: Classification, course: Course): number | undefined {
    const rule = this.#byReason.get(classification.reason) ?? this.#rule;
    if (rule === false || course.attempt >= rule.maxAttempts || !mayRetry(classification, rule)) return undefined;
    course.waits ??= new Map();
    const wait = (course.waits.get(rule) ?? rule.delays).next(undefined);
    course.waits.set(rule, wait);
    const delayMs = Math.max(wait.duration, classification.waitMs ?? 0);
    if (this.#clock.monotonicMs() + delayMs >= course.deadlineMs) return undefined;
    return this.#budgets === false || this.#budgets.of(course.dependency).tryWithdraw() ? delayMs : undefined;
  }
}

function toBudgets(budget: RetryBudgets | RetryBudgetOptions | false, clock: Clock): RetryBudgets | false {
  return budget === false || 'of' in budget ? budget : createRetryBudgets({ clock, ...budget });
}

function toRule({ maxAttempts = 3, idempotent = false, always = false, ...backoff }: ReasonRule): Rule {
  return {
    maxAttempts: requireWhole('maxAttempts', maxAttempts, 1),
    idempotent,
    always,
    delays: createBackoff(backoff),
  };
}

function mayRetry({ category, retry }: Classification, { always, idempotent }: Rule): boolean {
  if (category === 'cancelled') return false;
  return always || retry === 'yes' || (retry === 'if-idempotent' && idempotent);
}
