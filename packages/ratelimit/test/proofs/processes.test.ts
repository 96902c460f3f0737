/** Sixteen processes with wrong clocks on one server. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import { createClient } from 'redis';
import { migratePostgresStore } from '../../src/stores/postgres/migrate.ts';
import { drivers } from '../stores/postgres/drivers.ts';
import {
  type Admission,
  budgetRule,
  mostInWindow,
  periodUs,
  slotsRule,
  windowRules,
  type WorkerReport,
} from '../stores/redis/fleet.ts';

const long = process.env['LONG'] === '1';
const processes = 16;
const schema = 'fleet';
const worker = fileURLToPath(new URL('./fleet-worker.ts', import.meta.url));

describeWithService('redis', 'on one Redis', (url) => {
  afterAll(async () => {
    const client = await createClient({ url, database: 4 }).connect();
    await client.flushDb();
    await client.close();
  });
  prove('RL17', 'redis', url);
});

describeWithService('postgres', 'on one PostgreSQL', (url) => {
  const opened = drivers[0].open(url, 2);
  beforeAll(async () => {
    await opened.client.query(`drop schema if exists ${schema} cascade`);
    await migratePostgresStore(opened.client, { schema });
  });
  afterAll(() => opened.close());
  prove('RL18', 'postgres', url);
});

function prove(row: string, kind: string, url: string): void {
  test(`${row} RL23 RL26: sixteen processes whose clocks are a second apart admit in no window more than its limit, and overspend no budget`, async () => {
    const reports = await Promise.all(
      Array.from({ length: processes }, (_, index) => report(kind, url, index % 2 === 0 ? 500 : -500)),
    );

    for (const [index, { name, limit }] of windowRules.entries()) {
      const admissions = reports.flatMap(({ windows }) => windows[index] ?? []);
      expect(admissions.length).toBeGreaterThan(name === 'log' ? limit : 0);
      // A call counts where it was asked and answered in the window. Of the longer windows, the uncertain edges are a smaller part.
      for (const periods of [1, 2, 4, 8]) {
        const over = Math.max(0, mostInWindow(admissions, periods * periodUs) - periods * limit);
        expect({ name, periods, over }).toEqual({ name, periods, over: 0 });
      }
    }
    const slots = reports.flatMap((each) => each.slots);
    expect(slots.length).toBeGreaterThan(slotsRule.limit);
    expect(mostAtOnce(slots)).toBeLessThanOrEqual(slotsRule.limit);
    const spent = reports.reduce((sum, each) => sum + each.spent, 0);
    expect(spent).toBeLessThanOrEqual(budgetRule.limit);
    // What is left is less than three of the largest: nobody was turned away while there was enough.
    expect(spent).toBeGreaterThan(budgetRule.limit - 3 * 40);
  }, 180_000);
}

async function report(kind: string, url: string, skewMs: number): Promise<WorkerReport> {
  const args = [worker, kind, url, schema, String(skewMs), long ? '20000' : '2500'];
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout) as WorkerReport;
}

function mostAtOnce(intervals: readonly Admission[]): number {
  const steps = intervals.flatMap(([fromUs, toUs]) => [[fromUs, 1] as const, [toUs, -1] as const]);
  let active = 0;
  // Where one ends when another begins, the end counts first.
  const counts = steps.toSorted(([a, up], [b, down]) => a - b || up - down).map(([, step]) => (active += step));
  return Math.max(...counts);
}
