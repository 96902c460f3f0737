// Prints the CPU cost of a reservation of three rules in memory and its end, as the boundary to a model makes them, over two bare async calls; and of a check of
// one rule.
import type { LimiterPolicy } from '@sage-adk/core';
import { createRateLimiter, type Rule } from '@sage-adk/ratelimit';
import { limiterPolicy } from '@sage-adk/ratelimit/policy';
import { measure } from '../harness/measure.ts';

const rules: readonly Rule[] = [
  { name: 'calls', scope: 'user', limit: 1e9, per: 'minute' },
  { name: 'tokens', scope: 'provider', unit: 'tokens', limit: 1e12, per: 'minute' },
  { name: 'budget', scope: 'global', unit: 'cost', limit: 1e15, per: 'day' },
];
const subject = { user: 'user-1', provider: 'openai', model: 'gpt-4.1' };
const estimate = { requests: 1, tokens: 17_000, inputTokens: 1_000, outputTokens: 16_000, costNanoUsd: 130_000_000n };
const used = { requests: 1, tokens: 1_163, inputTokens: 1_117, outputTokens: 46, costNanoUsd: 2_602_000n };
const options = { onDenied: 'clamp', outputTokenNanoUsd: 8_000 } as const;

// What is denied costs something else.
const tooLow = 'A limit is too low.';
const checked = createRateLimiter({ rules: rules.slice(0, 1) });
const bareGrant = { allowed: true, settle: async () => {}, cancel: async () => {} } as const;
const bare: LimiterPolicy = { reserve: async () => bareGrant };
const policy = limiterPolicy(createRateLimiter({ rules }));

const timings = await measure(
  [
    { name: 'bare', run: (count) => calls(bare, count) },
    { name: 'reserve', run: (count) => calls(policy, count) },
    {
      name: 'check',
      run: async (count) => {
        // As short as one check is, a batch of as many would be over before the clock moves.
        for (let i = 0; i < count * 10; i++) if (!(await checked.check(subject)).allowed) throw new Error(tooLow);
      },
    },
  ],
  10_000,
  15,
);
const nsOf = (name: string): number => timings.get(name)?.medianNs ?? Number.NaN;
console.log(JSON.stringify({ 'reserve and settle': nsOf('reserve') - nsOf('bare'), check: nsOf('check') / 10 }));
process.exit(0);

async function calls(limiter: LimiterPolicy, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const grant = await limiter.reserve(subject, estimate, options);
    if (!grant.allowed) throw new Error(tooLow);
    // The call: its answer comes in a turn of its own.
    await new Promise((resolve) => void setImmediate(resolve));
    await grant.settle(used);
  }
}
