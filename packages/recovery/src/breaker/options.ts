import { type Clock, type Random, requireNumber, requireWhole, systemClock, systemRandom } from '@sage-adk/core';
import type { IBreaker } from 'cockatiel';
import type { Classification } from '../classify/classification.ts';
import { type Classifier, createClassifier } from '../classify/classifier.ts';

export interface BreakerOptions {
  /** Length of the window whose calls decide. @default 10_000 */
  readonly windowMs?: number;
  /** Opens at this share of failures in the window. @default 0.5 */
  readonly failureRatio?: number;
  /** A success that took this long is slow. @default Infinity */
  readonly slowMs?: number;
  /** Opens at this share of slow calls. @default 1 */
  readonly slowRatio?: number;
  /** Fewer calls in the window decide nothing. @default 10 */
  readonly minCalls?: number;
  /** Opens where this says so, instead of the ratios; one of cockatiel's breakers fits. Breakers of several dependencies take a function that makes one for each. */
  readonly tripWhen?: IBreaker | (() => IBreaker);
  /** The first rest lasts half to all of this; each one in a row twice as long. @default 500 */
  readonly openMs?: number;
  /** No rest is longer. @default 2_000 */
  readonly maxOpenMs?: number;
  /** The window of recovery is lifted once it bound nobody for this long. @default 3_000 */
  readonly calmMs?: number;
  /** A call of recovery that said nothing for this long counts as failed. @default 30_000 */
  readonly probeTimeoutMs?: number;
  /** Ends a rest by a check of its own instead of by a caller's try. */
  readonly health?: BreakerHealth;
  /** What counts against the dependency. @default transient errors but limits and conflicts, and critical ones but security */
  readonly isFailure?: (classification: Classification, error: unknown) => boolean;
  readonly classifier?: Classifier;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A look at the dependency that costs little and changes nothing. While it rests only this asks it, unless the longest rest is over. */
export interface BreakerHealth {
  /** Resolves true where the dependency is well. Must heed the signal, which aborts after the interval. */
  check(signal: AbortSignal): Promise<boolean>;
  /** @default 1_000 */
  readonly intervalMs?: number;
  /** Passes in a row until callers may try. @default 1 */
  readonly successes?: number;
}

export type BreakerSettings = Required<Omit<BreakerOptions, 'health' | 'tripWhen'>> & {
  readonly health: Required<BreakerHealth> | undefined;
  readonly tripWhen: BreakerOptions['tripWhen'];
};

export function toSettings({
  windowMs = 10_000,
  failureRatio = 0.5,
  slowMs = Number.POSITIVE_INFINITY,
  slowRatio = 1,
  minCalls = 10,
  openMs = 500,
  maxOpenMs = Math.max(2_000, openMs),
  calmMs = 3_000,
  probeTimeoutMs = 30_000,
  isFailure = countsAgainst,
  classifier = createClassifier(),
  clock = systemClock,
  random = systemRandom,
  health,
  tripWhen,
}: BreakerOptions): BreakerSettings {
  requireNumber('windowMs', windowMs, 10);
  requireNumber('failureRatio', failureRatio, Number.MIN_VALUE, 1);
  requireNumber('slowRatio', slowRatio, Number.MIN_VALUE, 1);
  requireWhole('minCalls', minCalls, 1);
  requireNumber('openMs', openMs, 1);
  requireNumber('maxOpenMs', maxOpenMs, openMs);
  requireNumber('calmMs', calmMs, 0);
  requireNumber('probeTimeoutMs', probeTimeoutMs, 1);
  if (slowMs !== Number.POSITIVE_INFINITY) requireNumber('slowMs', slowMs, 1);
  const looks = health && { intervalMs: 1_000, successes: 1, ...health, check: health.check.bind(health) };
  if (looks !== undefined) {
    requireNumber('health.intervalMs', looks.intervalMs, 1);
    requireWhole('health.successes', looks.successes, 1);
  }
  return {
    windowMs,
    failureRatio,
    slowMs,
    slowRatio,
    minCalls,
    openMs: looks === undefined ? openMs : maxOpenMs,
    maxOpenMs,
    calmMs,
    probeTimeoutMs,
    isFailure,
    classifier,
    clock,
    random,
    health: looks,
    tripWhen,
  };
}

const notItsFault = new Set(['rate_limited', 'rejected', 'conflict', 'too_early', 'security']);

function countsAgainst({ category, reason }: Classification): boolean {
  return (category === 'transient' || category === 'critical') && !notItsFault.has(reason);
}
