import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import { migratePostgresStore } from '../../../src/stores/postgres/migrate.ts';
import { createPostgresStore } from '../../../src/stores/postgres/postgres-store.ts';
import { drivers, type Opened } from './drivers.ts';
import { compile, skewRules } from './skew-rules.ts';

const long = process.env['LONG'] === '1';
const schema = 'processes';

describeWithService('postgres', 'the PostgreSQL store shared by many', (url) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = drivers[0].open(url, 64);
    await opened.client.query(`drop schema if exists ${schema} cascade`);
    await migratePostgresStore(opened.client, { schema });
  });
  afterAll(async () => opened.close());

  test('RL18: 64 concurrent writers of four rules in any order end without a deadlock, and none exceeds a limit', async () => {
    const rules = ['a', 'b', 'c', 'd'].map((name) =>
      compile({ name, scope: 'user', limit: 300, per: name < 'c' ? 'hour' : 'minute', strategy: 'sliding-window' }),
    );
    const store = createPostgresStore({ client: opened.client, schema, deadlineMs: 30_000 });
    const writers = Array.from({ length: 64 }, async (_, writer) => {
      let admitted = 0;
      for (let round = 0; round < 12; round++) {
        const turn = (writer + round) % 4;
        const asks = [...rules.slice(turn), ...rules.slice(0, turn)].map((rule) => ({ rule, key: 'shared', cost: 1 }));
        const { allowed } = await store.decide({ kind: 'consume', asks: round % 2 === 0 ? asks : asks.toReversed() });
        if (allowed) admitted++;
      }
      return admitted;
    });
    const admitted = await Promise.all(writers);
    expect(admitted.reduce((sum, count) => sum + count)).toBe(300);
  }, 60_000);

  test('RL18: 16 processes whose clocks are half a second off never exceed a limit together', async () => {
    const runs = Array.from({ length: 16 }, async (_, index) => {
      const skewMs = index % 2 === 0 ? 500 : -500;
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', worker, url, schema, long ? '30000' : '1500', String(skewMs)],
        { timeout: 120_000 },
      );
      return JSON.parse(stdout) as { readonly admitted: Record<string, number>; readonly errors: number };
    });
    const results = await Promise.all(runs);
    expect(results.reduce((sum, { errors }) => sum + errors, 0)).toBe(0);
    const reached = skewRules.filter(({ name, limit }) => {
      const admitted = results.reduce((sum, result) => sum + (result.admitted[name] ?? 0), 0);
      expect({ name, over: Math.max(0, admitted - limit) }).toEqual({ name, over: 0 });
      return admitted === limit;
    });
    // How many limits are reached in so short a time is a matter of the machine; that they compete at one is not.
    expect(reached.length).toBeGreaterThan(0);
  }, 180_000);
});

const worker = fileURLToPath(new URL('./skewed-process.ts', import.meta.url));
