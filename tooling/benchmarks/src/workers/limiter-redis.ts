// Prints throughput and CPU, of the client and of the server, of decisions on one Redis, of ours and of rate-limiter-flexible, on one client. Argument: the server's URL.
import { createRateLimiter, type Rule } from '@sage-adk/ratelimit';
import { createRedisStore } from '@sage-adk/ratelimit/redis';
import { RateLimiterRedis, RateLimiterUnion } from 'rate-limiter-flexible';
import { createClient } from 'redis';
import { median } from '../harness/measure.ts';

export interface LimiterRedisReport {
  readonly perSecond: Readonly<Record<string, number>>;
  readonly clientUs: Readonly<Record<string, number>>;
  readonly serverUs: Readonly<Record<string, number>>;
  /** Medians over rounds of ours over the peer's. */
  readonly ratios: Readonly<
    Record<`${'four' | 'oneWindow' | 'oneBucket'}${'Throughput' | 'ClientCpu' | 'ServerCpu'}`, number>
  >;
  /** A four-rule call as it is sent, for redis-benchmark. */
  readonly call: readonly string[];
}

const limit = 1_000_000_000;
const inFlight = 64;
const calls = 4_000;
const rounds = 9;

const client = createClient({ url: process.argv[2] ?? '' });
await client.connect();
await client.flushAll();

let call: string[] = [];
const recorded = {
  isReady: true,
  evalSha: (sha: string, options: { keys: string[]; arguments: string[] }) => {
    call = ['EVALSHA', sha, String(options.keys.length), ...options.keys, ...options.arguments];
    return client.evalSha(sha, options);
  },
  eval: (lua: string, options: { keys: string[]; arguments: string[] }) => client.eval(lua, options),
};

const four = ['second', 'minute', 'hour', 'day'] as const;
const rule = (per: (typeof four)[number]): Rule => ({ name: per, scope: 'user', limit, per, strategy: 'fixed-window' });
const limiterOf = (rules: readonly Rule[], tag: string, through: Parameters<typeof createRedisStore>[0]['client']) =>
  createRateLimiter({ rules, store: createRedisStore({ client: through, tag, deadlineMs: 10_000 }) });
const seconds = { second: 1, minute: 60, hour: 3_600, day: 86_400 };
const peerOf = (per: (typeof four)[number], keyPrefix: string) =>
  new RateLimiterRedis({
    storeClient: client,
    useRedisPackage: true,
    keyPrefix,
    points: limit,
    duration: seconds[per],
  });

const oursFour = limiterOf(four.map(rule), 'four', client);
const oursFourBuckets = limiterOf(
  four.map((per) => ({ ...rule(per), strategy: 'token-bucket' as const })),
  'buckets',
  client,
);
const oursOne = limiterOf([rule('minute')], 'one', client);
const oursOneBucket = limiterOf([{ ...rule('minute'), strategy: 'token-bucket' }], 'bucket', client);
const peerFour = new RateLimiterUnion(...four.map((per) => peerOf(per, `four-${per}`)));
const peerOne = peerOf('minute', 'one');

const variants: Readonly<Record<string, (user: string) => Promise<unknown>>> = {
  'ours, four fixed windows': (user) => oursFour.check({ user }),
  'ours, four token buckets': (user) => oursFourBuckets.check({ user }),
  'rate-limiter-flexible, union of four': (user) => peerFour.consume(user),
  'ours, one fixed window': (user) => oursOne.check({ user }),
  'ours, one token bucket': (user) => oursOneBucket.check({ user }),
  'rate-limiter-flexible, one': (user) => peerOne.consume(user),
};

const perSecond: Record<string, number[]> = {};
const clientUs: Record<string, number[]> = {};
const serverUs: Record<string, number[]> = {};
await limiterOf(four.map(rule), 'recorded', recorded).check({ user: 'user-1' });
for (let round = -1; round < rounds; round++) {
  const names = Object.keys(variants);
  const start = (round + names.length) % names.length;
  for (const name of [...names.slice(start), ...names.slice(0, start)]) {
    const measured = await measured64(variants[name] ?? (() => Promise.reject(new Error(name))));
    // The first round warms up.
    if (round < 0) continue;
    (perSecond[name] ??= []).push(measured.perSecond);
    (clientUs[name] ??= []).push(measured.clientUs);
    (serverUs[name] ??= []).push(measured.serverUs);
  }
}
const pairs = {
  four: ['ours, four fixed windows', 'rate-limiter-flexible, union of four'],
  oneWindow: ['ours, one fixed window', 'rate-limiter-flexible, one'],
  oneBucket: ['ours, one token bucket', 'rate-limiter-flexible, one'],
} as const;
await client.close();

const over = (values: Readonly<Record<string, number[]>>, a: string, b: string): number =>
  median((values[a] ?? []).map((value, round) => value / (values[b]?.[round] ?? Number.NaN)));
const medians = (values: Readonly<Record<string, number[]>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, samples]) => [name, median(samples)]));
const report: LimiterRedisReport = {
  perSecond: medians(perSecond),
  clientUs: medians(clientUs),
  serverUs: medians(serverUs),
  ratios: Object.fromEntries(
    Object.entries(pairs).flatMap(([name, [ours, peer]]) => [
      [`${name}Throughput`, over(perSecond, ours, peer)],
      [`${name}ClientCpu`, over(clientUs, ours, peer)],
      [`${name}ServerCpu`, over(serverUs, ours, peer)],
    ]),
  ) as LimiterRedisReport['ratios'],
  call,
};
console.log(JSON.stringify(report));
process.exit(0);

/** So many calls at once until all are done. */
async function measured64(
  ask: (user: string) => Promise<unknown>,
): Promise<{ perSecond: number; clientUs: number; serverUs: number }> {
  let next = 0;
  const serverBeforeUs = await serverCpuUs();
  const before = process.cpuUsage();
  const startMs = performance.now();
  const lane = async (): Promise<void> => {
    while (next < calls) await ask(`user-${next++ % 1_000}`);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const tookMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  const usedUs = (await serverCpuUs()) - serverBeforeUs;
  return { perSecond: (calls / tookMs) * 1_000, clientUs: (user + system) / calls, serverUs: usedUs / calls };
}

async function serverCpuUs(): Promise<number> {
  const info = await client.info('cpu');
  const secondsOf = (field: string): number => Number(new RegExp(`${field}:([\\d.]+)`).exec(info)?.[1]);
  return (secondsOf('used_cpu_user') + secondsOf('used_cpu_sys')) * 1e6;
}
