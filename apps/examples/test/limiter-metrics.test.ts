/** Every metric of the rate limiter, as a limiter on a real Redis moves it: the two packages know nothing of each other. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createMetrics, metricRows } from '@sage-adk/metrics';
import { createRateLimiter, type Denied, type Reservation, type Rule, usd } from '@sage-adk/ratelimit';
import { guardStore } from '@sage-adk/ratelimit/guard';
import { createLimiterQueue } from '@sage-adk/ratelimit/queue';
import { createRedisStore } from '@sage-adk/ratelimit/redis';
import { describeWithService } from '@tooling/services';
import { createClient } from 'redis';

const rules: readonly Rule[] = [
  { name: 'user', scope: 'user', limit: 5, per: 'hour' },
  { name: 'trial', scope: 'global', limit: 1, per: 'hour', mode: 'shadow' },
  { name: 'budget', scope: 'tenant', unit: 'cost', limit: usd(1), per: 'hour' },
  { name: 'slots', scope: 'endpoint', unit: 'concurrency', limit: 1 },
];
const dollars = (amount: number) => ({ costNanoUsd: BigInt(usd(amount)) });

describeWithService('redis', 'RL22: a limiter on Redis', (url) => {
  const client = createClient({ url, disableOfflineQueue: true });
  client.on('error', () => {});
  const metrics = createMetrics({ runtime: false });
  const store = guardStore(createRedisStore({ client, tag: randomUUID(), deadlineMs: 5_000 }), {
    deadlineMs: 5_000,
    failures: 1,
    denyCacheMs: 0,
  });
  const limiter = createRateLimiter({ rules, store });
  const valueOf = async (series: string): Promise<number | undefined> => {
    const line = (await metrics.registry.metrics()).split('\n').find((text) => text.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };

  beforeAll(async () => {
    await client.connect();
  });
  afterAll(async () => {
    await limiter.close();
    await metrics.close();
  });

  test('moves each of its metrics', async () => {
    for (let n = 0; n < 6; n++) await limiter.check({ user: 'ada' });
    expect(await valueOf(decisions('user', 'allowed', 'enforce', 'store'))).toBe(5);
    expect(await valueOf(decisions('user', 'denied', 'enforce', 'store'))).toBe(1);
    expect(await valueOf(decisions('trial', 'denied', 'shadow', 'store'))).toBe(5);
    expect(await valueOf('sage_limiter_near_limit_total{rule="user"}')).toBe(2);
    expect(await valueOf('sage_limiter_check_duration_seconds_count{store="redis",outcome="ok"}')).toBe(6);

    const call = granted(await limiter.reserve({ tenant: 'acme' }, dollars(0.5)));
    await call.settle(dollars(0.25));
    const dear = granted(await limiter.reserve({ tenant: 'acme' }, dollars(0.5)));
    expect(await valueOf('sage_limiter_leases{rule="budget"}')).toBe(1);
    await dear.settle(dollars(1));
    await limiter.reserve({ tenant: 'acme' }, dollars(0.5));
    const units = ['reserved', 'settled', 'refunded', 'debt'].map((kind) =>
      valueOf(`sage_limiter_units_total{rule="budget",unit="cost",kind="${kind}"}`),
    );
    expect(await Promise.all(units)).toEqual([1, 1.25, 0.25, 0.25]);
    expect(await valueOf('sage_limiter_budget_exhausted_total{rule="budget",handling="debt"}')).toBe(1);
    expect(await valueOf('sage_limiter_budget_exhausted_total{rule="budget",handling="reject"}')).toBe(1);

    await limiter.reserve({ endpoint: 'chat' }, undefined, { ttlMs: 60, maxHoldMs: 60 });
    await until(async () => (await valueOf('sage_limiter_leases_expired_total{rule="slots"}')) === 1);
    expect(await valueOf('sage_limiter_leases{rule="slots"}')).toBe(0);

    const queue = createLimiterQueue({ limiter, pollMs: 20 });
    const slot = granted(await queue.acquire({ endpoint: 'chat' }));
    const next = queue.acquire({ endpoint: 'chat' });
    await until(async () => (await valueOf('sage_limiter_queue_depth')) === 1);
    await slot.settle();
    await granted(await next).settle();
    expect(await valueOf('sage_queue_wait_seconds_count{queue="ratelimit",outcome="ok"}')).toBe(1);
    await queue.close();

    client.destroy();
    expect(await limiter.check({ user: 'bob' })).toMatchObject({ degraded: true });
    expect(await valueOf('sage_limiter_store_errors_total{store="redis"}')).toBe(1);
    expect(await valueOf('sage_limiter_store_away{store="redis"}')).toBe(1);
    expect(await valueOf(decisions('user', 'allowed', 'enforce', 'local'))).toBe(1);

    await using local = createRateLimiter({
      rules: [{ name: 'short', scope: 'user', limit: 1, per: { ms: 1 } }],
      maxKeys: 1,
    });
    await until(async () => {
      local.checkSync({ user: randomUUID() });
      return ((await valueOf('sage_limiter_evictions_total')) ?? 0) > 0;
    });
    expect(await valueOf('sage_limiter_keys')).toBeGreaterThan(0);

    const text = await metrics.registry.metrics();
    const own = metricRows.filter(({ name }) => name.startsWith('sage_limiter_'));
    expect(own.length).toBeGreaterThanOrEqual(12);
    for (const { name } of own) {
      if (name !== 'sage_limiter_queue_depth')
        expect(text).toMatch(new RegExp(`^${name}(_count)?(\\{.*\\})? \\d`, 'm'));
    }
    expect(text).not.toMatch(/ada|bob|acme/);
  });
});

function decisions(rule: string, outcome: string, mode: string, source: string): string {
  return `sage_limiter_decisions_total{rule="${rule}",outcome="${outcome}",mode="${mode}",source="${source}"}`;
}

function granted(outcome: Reservation | Denied): Reservation {
  if (!outcome.allowed) throw new Error(`denied by ${outcome.rule}`);
  return outcome;
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!(await done())) {
    if (performance.now() > endMs) throw new Error('it did not happen within a minute');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
