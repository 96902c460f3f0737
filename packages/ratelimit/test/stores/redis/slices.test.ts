/** Slices of processes on one server, some of which end with slices in their hands. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import { createClient } from 'redis';
import { mostInWindow, windowRules, type WorkerReport } from './fleet.ts';

const long = process.env['LONG'] === '1';
const worker = fileURLToPath(new URL('./sliced-worker.ts', import.meta.url));

interface SlicedReport extends Pick<WorkerReport, 'windows'> {
  readonly sliced: number;
}

describeWithService('redis', 'slices of processes on one redis', (url) => {
  afterAll(async () => {
    const client = await createClient({ url, database: 5 }).connect();
    await client.flushDb();
    await client.close();
  });

  test('RL26: no window ever holds more than its limit, and processes that end lose no more than their slices', async () => {
    const shortMs = long ? 10_000 : 1_200;
    const reports = await Promise.all([1, 1, 2, 2].map((times) => report(url, times * shortMs)));

    windowRules.forEach(({ limit }, index) => {
      const admissions = reports.flatMap(({ windows }) => windows[index] ?? []);
      expect(admissions.length).toBeGreaterThan(limit);
      expect(mostInWindow(admissions)).toBeLessThanOrEqual(limit);
    });
    expect(reports.every(({ sliced }) => sliced > 0)).toBe(true);
  });
});

async function report(url: string, forMs: number): Promise<SlicedReport> {
  const args = ['--disable-warning=ExperimentalWarning', worker, url, String(forMs)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as SlicedReport;
}
