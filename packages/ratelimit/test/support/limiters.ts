import { afterEach } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import { createRateLimiter, type RateLimiter, type RateLimiterOptions, type Rule } from '../../src/index.ts';

/** When the clock of {@link createLimiter} starts. */
export const startMs = Date.UTC(2025, 0, 1);

export const ada = { user: 'ada' };
export const tokens: Rule = {
  name: 'tokens',
  scope: 'user',
  unit: 'tokens',
  limit: 1_000,
  per: 'minute',
  strategy: 'sliding-window',
};
export const slots: Rule = { name: 'slots', scope: 'user', unit: 'concurrency', limit: 2 };

const opened: RateLimiter[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((limiter) => limiter.close()));
});

/** A limiter on a clock of its own, closed after the test. Takes rules, or all options. */
export function createLimiter(...given: readonly [RateLimiterOptions] | readonly Rule[]) {
  const [first] = given;
  const options = first !== undefined && 'rules' in first ? first : { rules: given as readonly Rule[] };
  const clock = createFakeClock({ nowMs: startMs });
  const limiter = createRateLimiter({ ...options, clock });
  opened.push(limiter);
  return { limiter, clock };
}

/** What ada has left of the first rule. */
export async function leftOf(limiter: RateLimiter): Promise<number> {
  return (await limiter.peek(ada)).rules[0]?.remaining ?? Number.NaN;
}
