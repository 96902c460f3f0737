// One process of some that share a limit by slices: asks steadily in rounds, and prints what it was given, when, and how long each check took. After each round it asks
// the store alone. Arguments: the server's URL, the strategy, the limit, checks per millisecond, when to begin (milliseconds since the epoch), how many rounds, how long one
// takes, and from which millisecond of it on checks are timed.
import { createRateLimiter, type Strategy } from '@sage-adk/ratelimit';
import { guardStore } from '@sage-adk/ratelimit/guard';
import { createRedisStore } from '@sage-adk/ratelimit/redis';
import { sliceStore } from '@sage-adk/ratelimit/slices';
import { createClient } from 'redis';

export interface SlicesReport {
  readonly rounds: readonly SlicesRound[];
  /** Of the checks that were admitted: how many were asked, and how many answered, in each millisecond of the run. On the wall clock, as the server's windows are. */
  readonly asked: readonly number[];
  readonly answered: readonly number[];
}

/** Microseconds from each call of `check` to its answer in the caller, from slices and of the store alone; not what the timer of the load takes to wake the caller. */
export interface SlicesRound {
  readonly sliced: Spread;
  readonly direct: Spread;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
}

/** After each round, for the checks of the store alone. */
const pauseMs = 800;
const [url = '', strategy = 'token-bucket', limit = '0', ...rest] = process.argv.slice(2);
const [perMs = 0, beginMs = 0, rounds = 0, roundMs = 0, timedFromMs = 0] = rest.map(Number);
const forMs = rounds * (roundMs + pauseMs);
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
const plenty = (name: string) => ({ ...rule, name, limit: 10_000_000 });
const direct = createRateLimiter({ rules: [plenty('direct')], store: store() });

const everybody = {};
const asked = Array.from({ length: forMs }, () => 0);
const answered = Array.from({ length: forMs }, () => 0);

await warmUp();
const done: SlicesRound[] = [];
for (let round = 0; round < rounds; round++) {
  const startMs = beginMs + round * (roundMs + pauseMs);
  await sleep(startMs - Date.now());
  // A load that begins late would have to be made up for at once, and would be no steady one.
  if (Date.now() > startMs + 250) throw new Error(`Begins ${Date.now() - startMs} ms late: the machine is too busy.`);
  const tookUs = await load(startMs);
  done.push({ sliced: spreadOf(tookUs), direct: spreadOf(await askTheStore()) });
}
const report: SlicesReport = { rounds: done, asked, answered };
process.stdout.write(JSON.stringify(report), () => process.exit(0));

/** Asks for a round, and gives the times that checks took. */
async function load(startMs: number): Promise<readonly number[]> {
  const tookUs: number[] = [];
  for (let sent = 0; Date.now() < startMs + roundMs; await sleep(1)) {
    // Timers are late, the load is not: what a late turn left out is made up for. Nobody waits for another's answer.
    const due = Math.floor((Date.now() - startMs) * perMs);
    for (; sent < due; sent++) {
      void ask(startMs + timedFromMs, tookUs);
      await Promise.resolve();
    }
  }
  return tookUs;
}

async function ask(timedFrom: number, tookUs: number[]): Promise<void> {
  const now = Date.now();
  const askedMs = performance.now();
  const { allowed } = await sliced.check(everybody);
  const answeredMs = performance.now();
  if (now >= timedFrom) tookUs.push((answeredMs - askedMs) * 1_000);
  if (allowed) {
    count(asked, now - beginMs);
    count(answered, Date.now() - beginMs);
  }
}

async function askTheStore(): Promise<readonly number[]> {
  const tookUs: number[] = [];
  const untilMs = Date.now() + pauseMs / 2;
  while (tookUs.length < 300 && Date.now() < untilMs) {
    const askedMs = performance.now();
    await direct.check(everybody);
    tookUs.push((performance.now() - askedMs) * 1_000);
  }
  return tookUs;
}

/** A process that serves has compiled its code long ago. */
async function warmUp(): Promise<void> {
  const warm = createRateLimiter({ rules: [plenty('warm')], store: sliceStore(store(), { rules: ['warm'] }) });
  for (let n = 0; n < 60_000 && Date.now() < beginMs - 500; n++) {
    await warm.check(everybody);
    if (n % 100 === 0) await sleep(1);
  }
}

function count(perMillisecond: number[], atMs: number): void {
  if (atMs < forMs) perMillisecond[atMs] = (perMillisecond[atMs] ?? 0) + 1;
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
