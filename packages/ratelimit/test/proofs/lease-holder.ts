// A process that takes what it can get and holds it until it is killed. Prints a line when it holds.
import { fromPostgres } from '@sage-adk/core/postgres';
import postgres from 'postgres';
import { createClient } from 'redis';
import { createRateLimiter, type Denied, type Reservation } from '../../src/index.ts';
import { openPostgresStore } from '../../src/stores/postgres/postgres-store.ts';
import { createRedisStore } from '../../src/stores/redis/index.ts';
import { holderRules, holderSchema, holderTag, holderTtlMs } from './lease-rules.ts';

const [kind = '', url = '', user = ''] = process.argv.slice(2);
const limiter = createRateLimiter({ rules: holderRules, store: await open() });
const held: (Reservation | Denied)[] = [];
for (let slot = 0; slot < 2; slot++) held.push(await limiter.reserve({ user }, { tokens: 40 }, { ttlMs: holderTtlMs }));
process.stdout.write(`${held.filter(({ allowed }) => allowed).length}\n`);
// Keeps the process, and what it holds, until the signal comes.
setInterval(() => held.length, 1_000);

async function open() {
  if (kind === 'postgres') {
    const client = fromPostgres(postgres(url, { max: 2, fetch_types: false, onnotice: () => {} }));
    return openPostgresStore({ client, schema: holderSchema, deadlineMs: 10_000 });
  }
  const client = await createClient({ url, database: 6 }).connect();
  return createRedisStore({ client, tag: holderTag, deadlineMs: 10_000 });
}
