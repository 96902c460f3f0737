/** Processes that hold slots and are killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import { createClient } from 'redis';
import { createRateLimiter, type RateLimiter } from '../../src/index.ts';
import { migratePostgresStore } from '../../src/stores/postgres/migrate.ts';
import { openPostgresStore } from '../../src/stores/postgres/postgres-store.ts';
import { createRedisStore } from '../../src/stores/redis/index.ts';
import type { LimiterStore } from '../../src/stores/store.ts';
import { drivers } from '../stores/postgres/drivers.ts';
import { holderRules, holderSchema, holderTag, holderTtlMs } from './lease-rules.ts';

const holder = fileURLToPath(new URL('./lease-holder.ts', import.meta.url));
const children = new Set<ChildProcess>();

describeWithService('redis', 'on the Redis store', (url) => {
  const client = createClient({ url, database: 6 });
  beforeAll(async () => {
    await client.connect();
    await client.flushDb();
  });
  afterAll(async () => {
    await client.flushDb();
    await client.close();
  });
  prove('redis', url, () => createRedisStore({ client, tag: holderTag, deadlineMs: 10_000 }));
});

describeWithService('postgres', 'on the PostgreSQL store', (url) => {
  const opened = drivers[0].open(url);
  beforeAll(async () => {
    await opened.client.query(`drop schema if exists ${holderSchema} cascade`);
    await migratePostgresStore(opened.client, { schema: holderSchema });
  });
  afterAll(() => opened.close());
  prove('postgres', url, () => openPostgresStore({ client: opened.client, schema: holderSchema, deadlineMs: 10_000 }));
});

function prove(kind: string, url: string, open: () => LimiterStore): void {
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
  });

  test('RL3 RL23: what a killed process held is back within its time, and the living keep theirs', async () => {
    const limiter = createRateLimiter({ rules: holderRules, store: open() });
    const user = `killed ${process.pid}`;
    const [first, second] = await Promise.all([hold(kind, url, user), hold(kind, url, user)]);
    expect(await leftOf(limiter, user)).toEqual([0, 0]);

    // Heartbeats extend the living beyond their time.
    await sleep(2 * holderTtlMs);
    expect(await leftOf(limiter, user)).toEqual([0, 0]);

    first.kill('SIGKILL');
    await once(first, 'exit');
    // What the dead one sent last may still be on its way to the server.
    await sleep(holderTtlMs + 100);
    expect(await leftOf(limiter, user)).toEqual([2, 80]);
    second.kill('SIGKILL');
    await once(second, 'exit');
    await sleep(holderTtlMs + 100);
    expect(await leftOf(limiter, user)).toEqual([4, 160]);
    await limiter.close();
  });
}

/** Resolves when the process holds two slots. */
async function hold(kind: string, url: string, user: string): Promise<ChildProcess> {
  const args = ['--disable-warning=ExperimentalWarning', holder, kind, url, user];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  expect(line.toString().trim()).toBe('2');
  return child;
}

async function leftOf(limiter: RateLimiter, user: string): Promise<readonly number[]> {
  return (await limiter.peek({ user })).rules.map(({ remaining }) => remaining);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
