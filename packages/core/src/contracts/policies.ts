/** What the boundary to a model plugs in. Each policy comes from another package and is known only by its shape. */
import type { Principal } from '../context/context.ts';
import type { Usage } from './llm.ts';

/** Who and what a limit is asked about. Every member is optional: a rule whose scope is missing does not apply. */
export interface LimitSubject {
  readonly user?: string;
  readonly tenant?: string;
  readonly tier?: string;
  readonly endpoint?: string;
  readonly provider?: string;
  readonly model?: string;
  readonly principal?: Principal;
}

/** Units of one call. Cost is in billionths of a US dollar. */
export interface LimitCosts {
  readonly requests?: number;
  readonly tokens?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly costNanoUsd?: bigint;
}

/** Takes what a call may use at most before it starts, and settles with what it used. */
export interface LimiterPolicy {
  /** A promise where somebody has to be waited for: who decides at once may say so at once. */
  reserve(
    subject: LimitSubject,
    estimate: LimitCosts,
    options?: LimitReserveOptions,
  ): LimitGrant | LimitDenial | Promise<LimitGrant | LimitDenial>;
  /** Whether an enforced limit of money applies to the subject: then a call without a known price must not pass as if it were free. Missing: nobody can tell. */
  countsCost?(subject: LimitSubject): boolean;
}

export interface LimitReserveOptions {
  readonly signal?: AbortSignal;
  /** `clamp`: where a limit has less left than was asked, fewer output tokens may be granted in place of a denial. @default 'reject' */
  readonly onDenied?: 'reject' | 'clamp';
  /** What an output token costs, in billionths of a US dollar: by it, fewer tokens follow from less money. */
  readonly outputTokenNanoUsd?: number;
}

export interface LimitGrant {
  readonly allowed: true;
  /** The output tokens that were granted, where fewer than asked. */
  readonly outputTokens?: number;
  /** Replaces the estimate by what was used. Only the first of settle and cancel counts. */
  settle(actual: LimitCosts): Promise<void>;
  /** Gives everything back: the call never started. */
  cancel(): Promise<void>;
}

/** A limit said no. A result, not an error; only HTTP turns it into a 429. */
export interface LimitDenial {
  readonly allowed: false;
  readonly rule: string;
  readonly limit: number;
  readonly remaining: number;
  /** Wall-clock milliseconds. */
  readonly resetAtMs: number;
  /** Undefined where waiting cannot help: the call is larger than the limit. */
  readonly retryAfterMs: number | undefined;
}

/** Whether a dependency may be called now. */
export interface BreakerPolicy {
  /** A permit, or undefined while the dependency rests. */
  tryAcquire(dependency: string): BreakerPermit | undefined;
}

export interface BreakerPermit {
  /** The call succeeded. Only the first word of a permit counts. */
  succeed(): void;
  fail(error: unknown): void;
  /** The call says nothing about the dependency: cancelled, or a fault of the caller. */
  release(): void;
}

/** Tries a call again where that helps. */
export interface RetryPolicy {
  execute<T>(
    call: (attempt: RetryAttempt) => Promise<T>,
    options?: { readonly dependency?: string; readonly signal?: AbortSignal },
  ): Promise<T>;
}

export interface RetryAttempt {
  /** Counts from 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/** Answers a call from earlier ones. */
export interface CachePolicy<I, O> {
  wrap(
    input: I,
    call: () => Promise<O>,
    options?: { readonly scope?: string; readonly signal?: AbortSignal },
  ): Promise<CacheAnswer<O>>;
}

export interface CacheAnswer<O> {
  readonly value: O;
  readonly source: 'call' | 'cache' | 'stale';
  readonly savedUsage?: Usage;
}
