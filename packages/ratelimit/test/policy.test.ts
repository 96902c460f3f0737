import { describe, expect, test } from '@jest/globals';
import type { LimiterPolicy } from '@sage-adk/core';
import type { Rule } from '../src/index.ts';
import { limiterPolicy } from '../src/policy.ts';
import { createLimiterQueue } from '../src/queue/limiter-queue.ts';
import { createLimiter } from './support/limiters.ts';

const ada = { user: 'ada' };
const budget: Rule = { name: 'budget', scope: 'user', unit: 'cost', limit: 1_000, per: 'hour' };
const calls: Rule = { name: 'calls', scope: 'user', limit: 5, per: 'minute' };
/** 100 nano-dollars of input, and an output token at 10. */
const estimate = { inputTokens: 100, outputTokens: 200, costNanoUsd: 2_100n };
const clamped = { onDenied: 'clamp', outputTokenNanoUsd: 10 } as const;

describe('a limiter as a policy', () => {
  test('takes, settles and gives back', async () => {
    const { limiter } = createLimiter(budget);
    const policy = limiterPolicy(limiter);
    await (await granted(policy, 400n)).settle({ costNanoUsd: 100n });
    await (await granted(policy, 500n)).cancel();
    expect((await limiter.peek(ada)).remaining).toBe(900);
    expect(await policy.reserve(ada, { costNanoUsd: 901n })).toMatchObject({ allowed: false, rule: 'budget' });
  });

  test('says at once what a store in this process decides', () => {
    const policy = limiterPolicy(createLimiter(budget).limiter);
    expect(policy.reserve(ada, { costNanoUsd: 400n })).toMatchObject({ allowed: true });
    expect(policy.reserve(ada, { costNanoUsd: 601n })).toMatchObject({ allowed: false, rule: 'budget' });
  });

  test('rejects, and never throws, where it is asked for what is no cost', async () => {
    const asked = limiterPolicy(createLimiter(budget).limiter).reserve(ada, { costNanoUsd: -1n });
    await expect(asked).rejects.toMatchObject({ code: 'SAGE_CORE_INVALID_OPTION' });
  });

  test('rejects, and never throws, where it is settled with what is no cost; the first word counts all the same', async () => {
    const { limiter } = createLimiter(budget);
    const grant = await granted(limiterPolicy(limiter), 400n);
    await expect(grant.settle({ costNanoUsd: -1n })).rejects.toMatchObject({ code: 'SAGE_CORE_INVALID_OPTION' });
    await grant.cancel();
    expect((await limiter.peek(ada)).remaining).toBe(600);
  });

  test('RL6: grants the output tokens that the money is left for, where a call says that it may', async () => {
    const { limiter } = createLimiter(budget);
    const policy = limiterPolicy(limiter);
    expect(await policy.reserve(ada, estimate)).toMatchObject({ allowed: false });
    expect(await policy.reserve(ada, estimate, clamped)).toMatchObject({ allowed: true, outputTokens: 90 });
    expect((await limiter.peek(ada)).remaining).toBe(0);
  });

  test('RL6: does what its own options say, whatever the call says', async () => {
    const { limiter } = createLimiter(budget);
    expect(await limiterPolicy(limiter, { onDenied: 'reject' }).reserve(ada, estimate, clamped)).toMatchObject({
      allowed: false,
    });
    const cheaper = limiterPolicy(limiter, { onDenied: () => ({ estimate: { outputTokens: 20, costNanoUsd: 7n } }) });
    expect(await cheaper.reserve(ada, estimate, clamped)).toMatchObject({ allowed: true, outputTokens: 20 });
  });

  test('knows whether money is limited', () => {
    const { limiter } = createLimiter(calls, budget);
    expect(limiterPolicy(limiter).countsCost?.(ada)).toBe(true);
    expect(limiterPolicy(createLimiterQueue({ limiter })).countsCost?.(ada)).toBe(true);
    expect(limiterPolicy(limiter).countsCost?.({ tenant: 'acme' })).toBe(false);
    expect(limiterPolicy(createLimiter(calls).limiter).countsCost?.(ada)).toBe(false);
    expect(limiterPolicy(createLimiter({ ...budget, mode: 'shadow' }).limiter).countsCost?.(ada)).toBe(false);
    expect('countsCost' in limiterPolicy({ reserve: limiter.reserve.bind(limiter) })).toBe(false);
  });
});

async function granted(policy: LimiterPolicy, costNanoUsd: bigint) {
  const outcome = await policy.reserve(ada, { costNanoUsd });
  if (!outcome.allowed) throw new Error('That was meant to be allowed.');
  return outcome;
}
