/** A budget that is never exceeded: each call reserves what it may cost and settles what it did; what does not fit is cut to what is left. */
import { createMetrics } from '@sage-adk/metrics';
import { createRateLimiter, usd } from '@sage-adk/ratelimit';

const metrics = createMetrics({ runtime: false });
const limiter = createRateLimiter({
  rules: [{ name: 'budget', scope: 'tenant', unit: 'cost', limit: usd(0.05), per: 'calendar-day' }],
});
const outputTokenNanoUsd = 10_000; // 10 dollars for a million output tokens
const most = { outputTokens: 4_000, costNanoUsd: BigInt(4_000 * outputTokenNanoUsd) };

for (const usedTokens of [2_500, 1_900, 600, 1]) {
  const reservation = await limiter.reserve({ tenant: 'acme' }, most, { onDenied: 'clamp', outputTokenNanoUsd });
  if (!reservation.allowed) {
    console.log(`denied: ${reservation.remaining / 1e9} dollars left`);
    continue;
  }
  // Here the model would be called, with the granted tokens as its limit.
  const outputTokens = Math.min(usedTokens, reservation.outputTokens ?? most.outputTokens);
  await reservation.settle({ outputTokens, costNanoUsd: BigInt(outputTokens * outputTokenNanoUsd) });
  console.log(`granted ${reservation.outputTokens ?? 'all'} tokens, used ${outputTokens}`);
}

const lines = (await metrics.registry.metrics()).split('\n');
console.log(lines.filter((line) => /^sage_limiter_(units|budget_exhausted)_total/.test(line)).join('\n'));
await limiter.close();
await metrics.close();
