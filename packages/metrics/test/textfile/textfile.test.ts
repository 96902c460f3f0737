import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import { createMetrics, type Metrics } from '../../src/index.ts';
import { createTextfile } from '../../src/textfile/index.ts';
import { findTool, startTool } from '../support/debian-tool.ts';
import { valueIn } from '../support/exposition-text.ts';

let folder: string;
let metrics: Metrics;
let count: (amount?: number) => void;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'textfile-'));
  metrics = createMetrics({ runtime: false });
  const counter = metrics.counter({ name: 'jobs_total', help: 'Jobs.' }).with();
  count = (amount) => counter.inc(amount);
});
afterEach(async () => {
  await metrics.close();
  await rm(folder, { recursive: true });
});

describe('a file of metrics', () => {
  test('is made with its folder, is written when it is asked for and at the end, and stays', async () => {
    const path = join(folder, 'collector', 'job.prom');
    const file = createTextfile({ metrics, path });
    count(2);
    await file.write();
    expect(valueIn(await readFile(path, 'utf8'), 'jobs_total')).toBe(2);
    count(3);
    await file.close();
    expect(valueIn(await readFile(path, 'utf8'), 'jobs_total')).toBe(5);
    expect(await readdir(join(folder, 'collector'))).toEqual(['job.prom']);
  });

  test('is written every 15 seconds by itself', async () => {
    const clock = createFakeClock();
    const path = join(folder, 'job.prom');
    await using _file = createTextfile({ metrics, path, clock });
    count(4);
    await clock.advanceAsync(15_000);
    let text = '';
    while (text === '') text = await readFile(path, 'utf8').catch(() => '');
    expect(valueIn(text, 'jobs_total')).toBe(4);
  });

  test('is written by one at a time, whoever asks for it at which moment', async () => {
    const file = createTextfile({ metrics, path: join(folder, 'job.prom') });
    for (let i = 0; i < 20; i++) await Promise.all([file.write().then(() => file.write()), file.write()]);
    await file.close();
    expect(await readdir(folder)).toEqual(['job.prom']);
  });

  test('whoever reads it sees a whole text, old or new, however often it is written', async () => {
    const path = join(folder, 'job.prom');
    const file = createTextfile({ metrics, path });
    for (let i = 0; i < 200; i++) metrics.counter({ name: `filler${i}_total`, help: 'Filler.' });
    await file.write();
    const state = { writing: true };
    const written = (async () => {
      for (let i = 0; i < 50; i++) {
        count();
        await file.write();
      }
      state.writing = false;
    })();
    let totals = 0;
    while (state.writing) {
      const text = await readFile(path, 'utf8');
      expect(text.endsWith('filler199_total 0\n')).toBe(true);
      const total = valueIn(text, 'jobs_total') ?? -1;
      expect(total).toBeGreaterThanOrEqual(totals);
      totals = total;
    }
    await written;
    await file.close();
  });

  test('that cannot be written says why, and leaves nothing behind', async () => {
    await writeFile(join(folder, 'blocked'), '');
    const file = createTextfile({ metrics, path: join(folder, 'blocked', 'job.prom') });
    await expect(file.write()).rejects.toMatchObject({ code: 'SAGE_METRICS_TEXTFILE_NOT_WRITTEN' });
    await expect(file.close()).rejects.toMatchObject({ code: 'SAGE_METRICS_TEXTFILE_NOT_WRITTEN' });
    expect(await readdir(folder)).toEqual(['blocked']);
  });

  test('must end in .prom', () => {
    expect(() => createTextfile({ metrics, path: 'metrics.txt' })).toThrow(/\.prom/);
  });
});

const { tool, skipped } = await findTool('prometheus-node-exporter', 'usr/bin/prometheus-node-exporter');

describe('the textfile collector of node_exporter', () => {
  if (tool === undefined) {
    test.skip(`shows the whole catalogue (no node_exporter: ${skipped})`, () => {});
    return;
  }

  test('shows the whole catalogue', async () => {
    await using file = createTextfile({ metrics, path: join(folder, 'job.prom') });
    count(6);
    await file.write();
    await using server = await startTool(tool, (address) => [
      `--web.listen-address=${address}`,
      '--collector.disable-defaults',
      '--collector.textfile',
      `--collector.textfile.directory=${folder}`,
    ]);
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(valueIn(text, 'jobs_total')).toBe(6);
    expect(valueIn(text, 'node_textfile_scrape_error')).toBe(0);
  });
});
