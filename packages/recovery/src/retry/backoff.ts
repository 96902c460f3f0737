import { type Random, requireNumber, requireOption, systemRandom } from '@sage-adk/core';
import { ExponentialBackoff, type IBackoffFactory, type IExponentialBackoffOptions } from 'cockatiel';

/**
 * How a wait is spread, so that clients which failed together do not come back together. With d the plain exponential delay:
 * `none` waits d, `full` between 0 and d, `equal` between d/2 and d, `decorrelated` between the first delay and the multiple of the wait before.
 */
export type Jitter = 'none' | 'full' | 'equal' | 'decorrelated';

export interface BackoffOptions {
  /** @default 'full' */
  readonly jitter?: Jitter;
  /** The first delay. @default 200 */
  readonly baseMs?: number;
  /** No delay is longer. @default 10_000 */
  readonly maxMs?: number;
  /** Growth from one delay to the next, honoured under every jitter. @default 2 */
  readonly multiplier?: number;
  readonly random?: Random;
}

/** What a generator hands to its next call. */
interface Step {
  readonly attempt: number;
  readonly delayMs: number;
}

/**
 * Exponential backoff for cockatiel's policies and ours: its `ExponentialBackoff` with generators that honour the multiplier, which its own ignore.
 */
export function createBackoff({
  jitter = 'full',
  baseMs = 200,
  maxMs = 10_000,
  multiplier = 2,
  random = systemRandom,
}: BackoffOptions = {}): IBackoffFactory<unknown> {
  requireNumber('baseMs', baseMs, 0);
  requireNumber('maxMs', maxMs, baseMs);
  requireNumber('multiplier', multiplier, 1);
  requireOption('jitter', jitter, 'none, full, equal or decorrelated', (name) => Object.hasOwn(spreads, name));
  const spread = spreads[jitter];
  return new ExponentialBackoff<Step>({
    initialDelay: baseMs,
    maxDelay: maxMs,
    exponent: multiplier,
    generator(previous, options) {
      const attempt = (previous?.attempt ?? 0) + 1;
      const delayMs = Math.min(maxMs, spread(attempt, previous?.delayMs ?? baseMs, options, random));
      return [delayMs, { attempt, delayMs }];
    },
  });
}

type Spread = (
  attempt: number,
  previousMs: number,
  options: IExponentialBackoffOptions<Step>,
  random: Random,
) => number;

const plain = (attempt: number, { initialDelay, exponent, maxDelay }: IExponentialBackoffOptions<Step>): number =>
  // 0 times a growth without end is no number.
  initialDelay === 0 ? 0 : Math.min(maxDelay, initialDelay * exponent ** (attempt - 1));

const spreads: Readonly<Record<Jitter, Spread>> = {
  none: (attempt, _, options) => plain(attempt, options),
  full: (attempt, _, options, random) => random() * plain(attempt, options),
  equal: (attempt, _, options, random) => (plain(attempt, options) * (1 + random())) / 2,
  decorrelated: (_, previousMs, { initialDelay, exponent }, random) =>
    initialDelay + random() * Math.max(0, previousMs * exponent - initialDelay),
};
