/** Limits in PostgreSQL, with an audit trail that can be queried. Takes a server from POSTGRES_URL. */
import { fromPostgres } from '@sage-adk/core/postgres';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { createRateLimiter, usd } from '@sage-adk/ratelimit';
import { guardStore } from '@sage-adk/ratelimit/guard';
import { createPostgresStore, migratePostgresStore } from '@sage-adk/ratelimit/postgres';
import postgres from 'postgres';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

const url = process.env['POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const sql = postgres(url, { max: 4, fetch_types: false, onnotice: () => {} });
const client = fromPostgres(sql);
const schema = `ratelimit_example_${process.pid}`;
await migratePostgresStore(client, { schema });

const store = createPostgresStore({ client, schema, deadlineMs: 1_000, audit: { mode: 'all' } });
const limiter = createRateLimiter({
  rules: [
    { name: 'requests', scope: 'user', limit: 100, per: 'minute' },
    { name: 'budget', scope: 'user', unit: 'cost', limit: usd(1), per: 'calendar-day' },
  ],
  store: guardStore(store, { deadlineMs: 1_000 }),
});
for (const dollars of [0.6, 0.3, 0.2]) {
  const { allowed, violated } = await limiter.check({ user: 'ada' }, { costNanoUsd: BigInt(usd(dollars)) });
  console.log(`${dollars} dollars:`, allowed ? 'allowed' : `denied by ${violated.map(({ rule }) => rule).join(', ')}`);
}

await store.flushAudit();
console.log(
  await sql`
  select split_part(rule, '~', 1) as rule, units, admitted, denied from ${sql(schema)}.sage_limiter_usage order by rule`,
);
await limiter.close();
await sql`drop schema ${sql(schema)} cascade`;
await sql.end();
await logger.close();
