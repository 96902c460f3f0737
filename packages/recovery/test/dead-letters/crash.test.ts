/** Nothing is lost and nothing acknowledged twice, wherever a worker dies. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromPostgres } from '@sage-adk/core/postgres';
import { describeWithService } from '@tooling/services';
import postgres from 'postgres';
import { createClient } from 'redis';
import { createMemoryDeadLetters, type DeadLetterStore } from '../../src/dead-letters/index.ts';
import { createPostgresDeadLetters, migrateDeadLetters } from '../../src/dead-letters/postgres/index.ts';
import { createRedisDeadLetters } from '../../src/dead-letters/redis/index.ts';
import { type Journal, type Phase, stepped, work } from './steps.ts';

/** Two puts, a claim and its nack, two claims with their acks, one that finds nothing. */
const steps = 9;
const points = Array.from({ length: steps }, (_, step) => step).flatMap((step) =>
  (['during', 'after'] as const).map((phase) => ({ step, phase })),
);

/** Does what is left, as another worker would once the leases ended, and judges the whole. */
async function finish(store: DeadLetterStore, journal: Journal): Promise<void> {
  const keys = new Map<string, string>();
  for (let pass = 0; pass < 200; pass++) {
    const { dead, claimed, parked } = await store.stats();
    if (dead + claimed + parked === 0) break;
    for (const letter of await store.claim({ limit: 10 })) {
      keys.set(letter.id, letter.dedupeKey);
      journal.handled.push(letter.dedupeKey);
      if (await store.ack(letter)) journal.acknowledged.push(letter.dedupeKey);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(await store.stats()).toMatchObject({ dead: 0, claimed: 0, parked: 0 });
  for (const key of journal.kept) expect(journal.handled).toContain(key);
  expect(new Set(journal.acknowledged).size).toBe(journal.acknowledged.length);
  await store.close();
}

describe('memory: an exception at every step', () => {
  test.each(points)('ER12 ER14: $phase step $step nothing is lost or acknowledged twice', async ({ step, phase }) => {
    const journal: Journal = { kept: [], handled: [], acknowledged: [] };
    const store = createMemoryDeadLetters();
    let crashed = false;
    const crash = (at: number, when: Phase) => {
      crashed ||= at === step && when === phase;
      if (crashed) throw new Error('crashed');
    };
    await work(stepped(store, crash), (what, key) => void journal[what].push(key)).catch(() => {});
    expect(crashed).toBe(true);
    await finish(store, journal);
  });
});

interface Server {
  readonly kind: 'redis' | 'postgres';
  readonly url: string;
  readonly schema: string;
  open(queue: string): DeadLetterStore;
}

function killTests(server: Server): void {
  const folder = mkdtempSync(join(tmpdir(), 'sage-dlq-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function killedAt(point: (typeof points)[number]): Promise<void> {
    const name = `crash-${process.pid}-${server.kind}-${point.step}-${point.phase}`;
    const file = join(folder, name);
    writeFileSync(file, '');
    const worker = fileURLToPath(new URL('./crash-worker.ts', import.meta.url));
    const args = [server.kind, server.url, name, server.schema, file, String(point.step), point.phase];
    const child = fork(worker, args, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    const journal: Journal = { kept: [], handled: [], acknowledged: [] };
    for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
      const [what, key] = line.split(' ') as [keyof Journal, string];
      journal[what].push(key);
    }
    expect({ ...point, signal }).toEqual({ ...point, signal: 'SIGKILL' });
    await finish(server.open(name), journal);
  }

  test('ER12 ER14: kill -9 at every step loses nothing and acknowledges nothing twice', async () => {
    const left = [...points];
    const lanes = Array.from({ length: 3 }, async () => {
      for (let point = left.pop(); point !== undefined; point = left.pop()) await killedAt(point);
    });
    await Promise.all(lanes);
  }, 180_000);
}

describeWithService('redis', 'redis', (url) => {
  const client = createClient({ url });
  beforeAll(() => client.connect());
  afterAll(() => client.close());
  killTests({
    kind: 'redis',
    url,
    schema: '',
    open: (queue) => createRedisDeadLetters({ client, prefix: 'test:dlq', queue, deadlineMs: 5_000 }),
  });
});

describeWithService('postgres', 'postgres', (url) => {
  const sql = postgres(url, { max: 4, fetch_types: false, onnotice: () => {} });
  const client = fromPostgres(sql);
  const schema = `test_crash_${process.pid}`;
  beforeAll(async () => {
    await migrateDeadLetters({ client, schema });
  });
  afterAll(async () => {
    await client.query(`drop schema ${schema} cascade`);
    await sql.end();
  });
  killTests({
    kind: 'postgres',
    url,
    schema,
    open: (queue) => createPostgresDeadLetters({ client, schema, queue }),
  });
});
