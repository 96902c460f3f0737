/** Many processes with wrong clocks on one server. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import { createClient } from 'redis';
import { type Admission, budgetRule, mostInWindow, slotsRule, windowRules, type WorkerReport } from './fleet.ts';

const long = process.env['LONG'] === '1';
const processes = 16;
const worker = fileURLToPath(new URL('./worker.ts', import.meta.url));

describeWithService('redis', 'sixteen processes on one redis', (url) => {
  afterAll(async () => {
    const client = await createClient({ url, database: 4 }).connect();
    await client.flushDb();
    await client.close();
  });

  test(
    'RL17: with clocks half a second apart no window holds more than its limit, and no budget is overspent',
    async () => {
      const reports = await Promise.all(
        Array.from({ length: processes }, (_, index) => report(url, index % 2 === 0 ? 250 : -250)),
      );

      windowRules.forEach(({ limit }, index) => {
        const admissions = reports.flatMap(({ windows }) => windows[index] ?? []);
        expect(admissions.length).toBeGreaterThan(limit);
        expect(mostInWindow(admissions)).toBeLessThanOrEqual(limit);
      });
      const slots = reports.flatMap((each) => each.slots);
      expect(slots.length).toBeGreaterThan(slotsRule.limit);
      expect(mostAtOnce(slots)).toBeLessThanOrEqual(slotsRule.limit);
      const spent = reports.reduce((sum, each) => sum + each.spent, 0);
      expect(spent).toBeLessThanOrEqual(budgetRule.limit);
      // What is left is less than the largest cost, so nobody was turned away while there was enough.
      expect(spent).toBeGreaterThan(budgetRule.limit - 3 * 40);
    },
    long ? 120_000 : 60_000,
  );
});

async function report(url: string, skewMs: number): Promise<WorkerReport> {
  const args = ['--disable-warning=ExperimentalWarning', worker, url, String(skewMs), long ? '20000' : '2500'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as WorkerReport;
}

function mostAtOnce(intervals: readonly Admission[]): number {
  const steps = intervals.flatMap(([fromUs, toUs]) => [[fromUs, 1] as const, [toUs, -1] as const]);
  let active = 0;
  // Where one ends when another begins, the end counts first.
  const counts = steps.toSorted(([a, up], [b, down]) => a - b || up - down).map(([, step]) => (active += step));
  return Math.max(...counts);
}
