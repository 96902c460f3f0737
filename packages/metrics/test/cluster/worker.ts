/**
 * A cluster worker or a worker thread with metrics. It does as it is told: `count N`, `set N` (also NaN and Infinity), `silent` (answers and reports no more), `close` (its last report, then it
 * ends), and says `done` and what.
 */
import cluster from 'node:cluster';
import { parentPort } from 'node:worker_threads';
import { reportMetrics } from '../../src/cluster/index.ts';
import { createMetrics } from '../../src/index.ts';

const metrics = createMetrics({ runtime: false });
const counted = metrics.counter({ name: 'counted_total', help: 'Counted.' }).with();
const level = metrics.gauge({ name: 'level', help: 'Level.' }).with();
const observed = metrics.histogram({ name: 'observed_seconds', help: 'Observed.', buckets: [1, 2] }).with();
// What it tells unasked is for those who are killed; here it would hide whether asking works.
const everyMs = Number(process.env['REPORT_EVERY_MS'] ?? 3_600_000);
const reporting = reportMetrics({ metrics, everyMs });

async function obey(order: string, amount: number): Promise<void> {
  if (order === 'count') {
    counted.inc(amount);
    observed.observe(1.5);
  } else if (order === 'set') level.set(amount);
  else if (order === 'silent') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300_000);
  else if (order === 'close') {
    await reporting.close();
    await metrics.close();
  }
}

const say = (text: string): void => {
  if (parentPort !== null) parentPort.postMessage(text, []);
  else process.send?.(text);
};
const hear = (message: unknown): void => {
  if (typeof message !== 'string') return;
  const [order = '', amount] = message.split(' ');
  void obey(order, Number(amount ?? 1)).then(() => {
    say(`done ${message}`);
    if (order !== 'close') return;
    parentPort?.close();
    cluster.worker?.disconnect();
  });
};
if (parentPort === null) process.on('message', hear);
else parentPort.on('message', hear);
say('ready');
