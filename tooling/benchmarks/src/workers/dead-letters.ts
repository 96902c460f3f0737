// Prints letters put and claimed per second on one PostgreSQL, by ours and by pg-boss, round by round. Argument: the server's URL.
import { fromPg } from '@sage-adk/core/postgres';
import { createPostgresDeadLetters, migrateDeadLetters } from '@sage-adk/recovery/dead-letters/postgres';
import pg from 'pg';
import { PgBoss } from 'pg-boss';

/** Per second, in each round. */
export type DeadLettersReport = readonly Readonly<Record<string, number>>[];

interface Variant {
  put(): Promise<unknown>;
  /** Takes up to 50, and returns how many there were. */
  claim(): Promise<number>;
  empty(): Promise<unknown>;
}

const [url = ''] = process.argv.slice(2);
const workers = 8;
const letters = 3_000;
const rounds = 7;
const payload = { message: { role: 'user', parts: [{ text: 'x'.repeat(300) }] }, attempt: 1 };

const pool = new pg.Pool({ connectionString: url, max: workers });
await migrateDeadLetters({ client: fromPg(pool) });
const ours = createPostgresDeadLetters({ client: fromPg(pool), deadlineMs: 10_000 });
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
    empty: () => pool.query('truncate sage_dead_letters'),
  },
  'pg-boss': {
    put: () => boss.send('letters', payload, { retryLimit: 5, singletonKey: `${++serial}` }),
    claim: async () => (await boss.fetch('letters', { batchSize: 50 })).length,
    empty: () => boss.deleteAllJobs('letters'),
  },
};
const names = Object.keys(variants);
const report: Record<string, number>[] = [];
for (let round = 0; round <= rounds; round++) {
  const result: Record<string, number> = {};
  for (let turn = 0; turn < names.length; turn++) {
    const name = names[(turn + round) % names.length] ?? '';
    const variant = variants[name];
    if (variant === undefined) continue;
    result[`${name}, put`] = await perSecond(async () => void (await variant.put()), letters);
    // As autovacuum does within a minute; without it the planner of either is blind.
    await pool.query('analyze');
    result[`${name}, claim`] = await claimedPerSecond(variant);
    await variant.empty();
  }
  // The first one warms up.
  if (round > 0) report.push(result);
}
await boss.stop({ graceful: false });
await pool.end();
process.stdout.write(JSON.stringify(report));
process.exit(0);

async function perSecond(work: () => Promise<void>, times: number): Promise<number> {
  const beganMs = performance.now();
  let left = times;
  const run = async (): Promise<void> => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: workers }, run));
  return (times * 1_000) / (performance.now() - beganMs);
}

async function claimedPerSecond(variant: Variant): Promise<number> {
  const beganMs = performance.now();
  let claimed = 0;
  const run = async (): Promise<void> => {
    for (let got = 1; got > 0; claimed += got) got = await variant.claim();
  };
  await Promise.all(Array.from({ length: workers }, run));
  if (claimed !== letters) throw new Error(`${claimed} of ${letters} letters were claimed.`);
  return (claimed * 1_000) / (performance.now() - beganMs);
}
