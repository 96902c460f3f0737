/** One limit for many processes, in Redis; every decision is answered in time, also while Redis is away. Takes a server from REDIS_URL. */
import { createMetrics } from '@sage-adk/metrics';
import { createRateLimiter } from '@sage-adk/ratelimit';
import { guardStore } from '@sage-adk/ratelimit/guard';
import { createRedisStore } from '@sage-adk/ratelimit/redis';
import { createClient } from 'redis';

const metrics = createMetrics({ runtime: false });
// A command must fail when the server is away, not wait for it.
const client = createClient({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379', disableOfflineQueue: true });
client.on('error', () => {});
await client.connect();

// Here for two processes; in yours each has one of these, and `instances` says how many there are.
const limiters = ['one', 'two'].map(() =>
  createRateLimiter({
    rules: [{ name: 'per_user', scope: 'user', limit: 3, per: 'minute' }],
    store: guardStore(createRedisStore({ client, tag: `example-${process.pid}` }), { instances: 2, deadlineMs: 1_000 }),
  }),
);
for (const limiter of [...limiters, ...limiters]) {
  const { allowed, remaining, source } = await limiter.check({ user: 'ada' });
  console.log({ allowed, remaining, source });
}

client.destroy();
const { allowed, degraded, source } = (await limiters[0]?.check({ user: 'ada' })) ?? {};
console.log('without Redis, by the share of this process:', { allowed, degraded, source });

const lines = (await metrics.registry.metrics()).split('\n');
console.log(lines.filter((line) => /^sage_limiter_(decisions|store_errors)_total/.test(line)).join('\n'));
for (const limiter of limiters) await limiter.close();
await metrics.close();
