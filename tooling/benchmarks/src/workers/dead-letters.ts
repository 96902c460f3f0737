// Prints what it takes to put and to claim letters on one PostgreSQL, by ours and by pg-boss, round by round. Argument: the server's URL.
import { readFileSync } from 'node:fs';
import { fromPg } from '@sage-adk/core/postgres';
import { createPostgresDeadLetters, migrateDeadLetters } from '@sage-adk/recovery/dead-letters/postgres';
import pg from 'pg';
import { PgBoss } from 'pg-boss';

/** Of one letter, in microseconds: the time that passed, and the processor time of this process and of the server's. */
export interface Cost {
  readonly wallUs: number;
  readonly clientUs: number;
  readonly serverUs: number;
}

/** By "<who>, <step>", in each round. */
export type DeadLettersReport = readonly Readonly<Record<string, Cost>>[];

interface Variant {
  put(): Promise<unknown>;
  /** Takes up to 50, and returns how many there were. */
  claim(): Promise<number>;
  /** Makes all that were claimed due again. */
  readonly giveBack: string;
  empty(): Promise<unknown>;
}

const [url = ''] = process.argv.slice(2);
const workers = 8;
const letters = 2_000;
const rounds = 5;
/** Claims of all letters in a round: they take a tenth of what putting them takes. */
const passes = 4;
const payload = { message: { role: 'user', parts: [{ text: 'x'.repeat(300) }] }, attempt: 1 };

const pool = new pg.Pool({ connectionString: url, max: workers });
await migrateDeadLetters({ client: fromPg(pool) });
const ours = createPostgresDeadLetters({ client: fromPg(pool), deadlineMs: 30_000, maxRedrives: 1_000 });
// The same pool for both: what differs is what they ask of the server.
const boss = new PgBoss({
  db: { executeSql: (text: string, values?: unknown[]) => pool.query(text, values) },
  supervise: false,
  schedule: false,
  connectionString: url,
});
boss.on('error', () => {});
await boss.start();
await boss.createQueue('letters');
let serial = 0;
const variants: Readonly<Record<string, Variant>> = {
  ours: {
    put: () =>
      ours.put({ source: 'agent', dedupeKey: `${++serial}`, payload, error: new Error('the provider said no') }),
    claim: async () => (await ours.claim({ limit: 50 })).length,
    giveBack: `update sage_dead_letters set state = 'dead', visible_at = clock_timestamp()`,
    empty: () => pool.query('truncate sage_dead_letters'),
  },
  'pg-boss': {
    put: () => boss.send('letters', payload, { retryLimit: 5, singletonKey: `${++serial}` }),
    claim: async () => (await boss.fetch('letters', { batchSize: 50 })).length,
    giveBack: `update pgboss.job_common set state = 'created', started_on = null`,
    empty: () => boss.deleteAllJobs('letters'),
  },
};
const names = Object.keys(variants);
const report: Record<string, Cost>[] = [];
for (let round = 0; round <= rounds; round++) {
  const result: Record<string, Cost> = {};
  for (const name of rotated(names, round)) result[`${name}, put`] = await put(variants[name]);
  for (let pass = 0; pass < passes; pass++) {
    for (const name of rotated(names, pass)) {
      result[`${name}, claim ${pass}`] = await claim(variants[name]);
      await pool.query(variants[name]?.giveBack ?? '');
    }
  }
  for (const name of names) await variants[name]?.empty();
  // The first one warms up.
  if (round > 0) report.push(result);
}
await boss.stop({ graceful: false });
await pool.end();
process.stdout.write(JSON.stringify(report));
process.exit(0);

async function put(variant: Variant | undefined): Promise<Cost> {
  let left = letters;
  return costOf(async () => {
    while (left-- > 0) await variant?.put();
  });
}

async function claim(variant: Variant | undefined): Promise<Cost> {
  // As autovacuum does within a minute; without it the planner of either is blind.
  await pool.query('vacuum analyze');
  let claimed = 0;
  const cost = await costOf(async () => {
    for (let got = 1; got > 0; claimed += got) got = (await variant?.claim()) ?? 0;
  });
  if (claimed !== letters) throw new Error(`${claimed} of ${letters} letters were claimed.`);
  return cost;
}

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const { rows } = await pool.query<{ pid: number }>('select pid from pg_stat_activity');
  const pids = rows.map(({ pid }) => pid);
  const beganMs = performance.now();
  const own = process.cpuUsage();
  const servers = serverUs(pids);
  await Promise.all(Array.from({ length: workers }, work));
  const { user, system } = process.cpuUsage(own);
  const passedUs = (performance.now() - beganMs) * 1_000;
  return {
    wallUs: passedUs / letters,
    clientUs: (user + system) / letters,
    serverUs: (serverUs(pids) - servers) / letters,
  };
}

/** Processor time of all processes of the server since they began; 0 where the system does not tell. */
function serverUs(pids: readonly number[]): number {
  let totalUs = 0;
  for (const pid of pids) {
    try {
      totalUs += Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1_000;
    } catch {
      // Not Linux, or the process ended.
    }
  }
  return totalUs;
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
