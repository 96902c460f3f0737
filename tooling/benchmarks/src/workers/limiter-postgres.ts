// Prints decisions per second on one PostgreSQL, of ours and of rate-limiter-flexible, round by round. Argument: the server's URL.
import { fromPg, fromPostgres, type PostgresClient } from '@sage-adk/core/postgres';
import { createRateLimiter, type Rule } from '@sage-adk/ratelimit';
import { createPostgresStore, migratePostgresStore } from '@sage-adk/ratelimit/postgres';
import pg from 'pg';
import postgres from 'postgres';
import { RateLimiterPostgres } from 'rate-limiter-flexible';

/** Decisions per second of each variant, in each round. */
export type LimiterPostgresReport = readonly Readonly<Record<string, number>>[];

const [url = ''] = process.argv.slice(2);
const inFlight = 32;
const oneByOne = ', one at a time';
const users = 1_000;
const roundMs = 700;
const rounds = 7;

const pool = new pg.Pool({ connectionString: url, max: 8 });
const sql = postgres(url, { max: 8, fetch_types: false, onnotice: () => {} });
await migratePostgresStore(fromPg(pool));
const peer = await new Promise<RateLimiterPostgres>((resolve, reject) => {
  const limiter: RateLimiterPostgres = new RateLimiterPostgres(
    { storeClient: pool, tableName: 'peer', keyPrefix: 'one', points: 1_000_000, duration: 60 },
    (error?: Error) => (error === undefined || error === null ? resolve(limiter) : reject(error)),
  );
});

const one: readonly Rule[] = [rule('one')];
const four: readonly Rule[] = ['one', 'two', 'three', 'four'].map(rule);
const variants: Readonly<Record<string, (user: string) => PromiseLike<unknown>>> = {
  'rate-limiter-flexible, one': (user) => peer.consume(user),
  'rate-limiter-flexible, four calls': (user) =>
    Promise.all(['one', 'two', 'three', 'four'].map(async (name) => peer.consume(`${name}-${user}`))),
  'ours, one, LOGGED': ours(fromPg(pool), one, true),
  'ours, one, UNLOGGED': ours(fromPg(pool), one, false),
  'ours, four, UNLOGGED': ours(fromPg(pool), four, false),
  'ours, four, LOGGED': ours(fromPg(pool), four, true),
  'ours, one, UNLOGGED, postgres.js': ours(fromPostgres(sql), one, false),
  [`rate-limiter-flexible, one${oneByOne}`]: (user) => peer.consume(user),
  [`ours, one, LOGGED${oneByOne}`]: ours(fromPg(pool), one, true),
  [`ours, one, UNLOGGED${oneByOne}`]: ours(fromPg(pool), one, false),
};
const names = Object.keys(variants);
for (const name of names) await perSecond(name);
const report: Record<string, number>[] = [];
for (let round = 0; round < rounds; round++) {
  const result: Record<string, number> = {};
  for (let turn = 0; turn < names.length; turn++) {
    const name = names[(turn + round) % names.length] ?? '';
    result[name] = await perSecond(name);
  }
  report.push(result);
}
await Promise.all([pool.end(), sql.end()]);
process.stdout.write(JSON.stringify(report));

function rule(name: string): Rule {
  return { name, scope: 'user', limit: 1_000_000, per: 'minute', strategy: 'fixed-window' };
}

function ours(client: PostgresClient, rules: readonly Rule[], logged: boolean): (user: string) => PromiseLike<unknown> {
  const store = createPostgresStore({ client, deadlineMs: 10_000, logged: () => logged });
  const limiter = createRateLimiter({ rules, store });
  return (user) => limiter.check({ user });
}

async function perSecond(name: string): Promise<number> {
  const decide = variants[name];
  const beganMs = performance.now();
  let done = 0;
  const ask = async (): Promise<void> => {
    while (performance.now() - beganMs < roundMs) {
      await decide?.(`user-${Math.floor(Math.random() * users)}`);
      done++;
    }
  };
  await Promise.all(Array.from({ length: name.endsWith(oneByOne) ? 1 : inFlight }, ask));
  return (done * 1_000) / (performance.now() - beganMs);
}
