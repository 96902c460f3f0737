// One process of some that share a limit by slices: asks steadily, and prints what it was given, when, and how long each check took. Arguments: the server's URL, the
// strategy, the limit, checks per millisecond, when to begin (milliseconds since the epoch), for how long, and from which millisecond on checks are timed.
import { createRateLimiter, type Strategy } from '@sage-adk/ratelimit';
import { guardStore } from '@sage-adk/ratelimit/guard';
import { createRedisStore } from '@sage-adk/ratelimit/redis';
import { sliceStore } from '@sage-adk/ratelimit/slices';
import { createClient } from 'redis';

export interface SlicesReport {
  /** Microseconds from each call of `check` to its answer in the caller, from slices and of the store alone; not what the timer of the load takes to wake the caller. */
  readonly sliced: Spread;
  readonly direct: Spread;
  /** When each admitted check was asked and answered, in microseconds since the run began. */
  readonly admitted: readonly (readonly [askedUs: number, answeredUs: number])[];
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
}

const [url = '', strategy = 'token-bucket', limit = '0', perMs = '0', beginMs = '0', forMs = '0', timedFromMs = '0'] =
  process.argv.slice(2);
const client = await createClient({ url, disableOfflineQueue: true }).connect();
const rule = {
  name: 'global',
  scope: 'global',
  limit: Number(limit),
  per: 'second',
  strategy: strategy as Strategy,
} as const;
const store = (): ReturnType<typeof guardStore> =>
  guardStore(createRedisStore({ client, deadlineMs: 1_000 }), { deadlineMs: 1_000 });
const sliced = createRateLimiter({ rules: [rule], store: sliceStore(store(), { rules: ['global'] }) });
const direct = createRateLimiter({ rules: [{ ...rule, name: 'direct', limit: 1_000_000 }], store: store() });

const everybody = {};
const sinceBeginUs = (atMs: number): number => Math.round((performance.timeOrigin + atMs - Number(beginMs)) * 1_000);
const tookUs: number[] = [];
const admitted: [number, number][] = [];
const untilMs = Number(beginMs) + Number(forMs);

await sleep(Number(beginMs) - Date.now());
for (let done = 0; Date.now() < untilMs; await sleep(1)) {
  // Timers are late, the load is not: what a late turn left out is made up for.
  const due = Math.floor((Date.now() - Number(beginMs)) * Number(perMs));
  for (; done < due; done++) {
    const askedMs = performance.now();
    const { allowed } = await sliced.check(everybody);
    const answeredMs = performance.now();
    if (sinceBeginUs(askedMs) >= Number(timedFromMs) * 1_000) tookUs.push((answeredMs - askedMs) * 1_000);
    if (allowed) admitted.push([sinceBeginUs(askedMs), sinceBeginUs(answeredMs)]);
  }
}
const directUs: number[] = [];
for (let n = 0; n < 1_000; n++) {
  const askedMs = performance.now();
  await direct.check(everybody);
  directUs.push((performance.now() - askedMs) * 1_000);
}
const report: SlicesReport = { sliced: spreadOf(tookUs), direct: spreadOf(directUs), admitted };
process.stdout.write(JSON.stringify(report), () => process.exit(0));

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
