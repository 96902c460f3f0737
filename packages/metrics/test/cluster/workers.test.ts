import cluster from 'node:cluster';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type MergedMetrics, type MergeOptions, mergeWorkers } from '../../src/cluster/index.ts';
import { openChannel } from '../../src/cluster/channel.ts';
import { isReport } from '../../src/cluster/messages.ts';
import { takeSnapshot } from '../../src/cluster/snapshot.ts';
import { createCounter } from '../../src/instruments/counter.ts';
import { renderMetrics } from '../../src/scrape/index.ts';
import { valueIn } from '../support/exposition-text.ts';

const script = fileURLToPath(new URL('worker.ts', import.meta.url));
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A worker in the hand of a test. */
interface Hand {
  tell(order: string): Promise<void>;
  kill(): Promise<void>;
  readonly ended: Promise<unknown>;
  /** Resolves when it told, unasked, that it counted so much. */
  told(counted: number): Promise<void>;
}

const create = (options: MergeOptions = {}): MergedMetrics => {
  // Long: a worker that can answer does, however busy the machine is.
  const merged = mergeWorkers({ waitMs: 30_000, ...options });
  closing.push(() => merged.close());
  return merged;
};

/** A worker's own messages and those of metrics share the channel. */
const heard = (emitter: EventEmitter, wanted: (message: unknown) => boolean): Promise<void> =>
  new Promise((resolve) => {
    const listener = (message: unknown): void => {
      if (!wanted(message)) return;
      emitter.off('message', listener);
      resolve();
    };
    emitter.on('message', listener);
  });
const saysThat = (counted: number) => (message: unknown) =>
  isReport(message) &&
  message.snapshots.some(({ name, samples }) => name === 'counted_total' && samples[0]?.value === counted);

async function fork(_merged: MergedMetrics, env: Readonly<Record<string, string>> = {}): Promise<Hand> {
  cluster.setupPrimary({ exec: script, execArgv: ['--disable-warning=ExperimentalWarning'], silent: true });
  const worker = cluster.fork(env);
  const ended = once(worker, 'exit');
  closing.push(async () => {
    if (!worker.isDead()) worker.process.kill('SIGKILL');
    await ended;
  });
  await heard(worker, (message) => message === 'ready');
  return {
    async tell(order) {
      const done = heard(worker, (message) => message === `done ${order}`);
      worker.send(order);
      await done;
    },
    async kill() {
      worker.process.kill('SIGKILL');
      await ended;
    },
    ended,
    told: (counted) => heard(worker, saysThat(counted)),
  };
}

async function start(merged: MergedMetrics, env: Readonly<Record<string, string>> = {}): Promise<Hand> {
  const thread = new Worker(script, { env: { ...process.env, ...env } });
  merged.add(thread);
  const ended = once(thread, 'exit');
  closing.push(() => thread.terminate());
  await heard(thread, (message) => message === 'ready');
  return {
    async tell(order) {
      const done = heard(thread, (message) => message === `done ${order}`);
      thread.postMessage(order, []);
      await done;
    },
    async kill() {
      await thread.terminate();
      await ended;
    },
    ended,
    told: (counted) =>
      new Promise((resolve) => {
        const channel = openChannel((message) => {
          if (!saysThat(counted)(message)) return;
          channel.close();
          resolve();
        });
      }),
  };
}

async function textOf(merged: MergedMetrics): Promise<string> {
  let text = '';
  for await (const piece of renderMetrics(await merged.collect())) text += Buffer.from(piece).toString();
  return text;
}
const valuesOf = async (merged: MergedMetrics, ...names: readonly string[]) => {
  const text = await textOf(merged);
  return names.map((name) => valueIn(text, name));
};

describe.each([
  ['cluster workers', fork],
  ['worker threads', start],
] as const)('%s', (_, begin) => {
  test('are asked at each collection, and added up', async () => {
    const merged = create();
    const [one, other] = [await begin(merged), await begin(merged)];
    await Promise.all([one.tell('count 2'), other.tell('count 3'), one.tell('set 10'), other.tell('set 20')]);
    expect(await valuesOf(merged, 'counted_total', 'level', 'observed_seconds_count')).toEqual([5, 30, 2]);
    await one.tell('count 4');
    expect(await valuesOf(merged, 'counted_total')).toEqual([9]);
    expect(valueIn(await textOf(merged), 'sage_cluster_workers', { state: 'now' })).toBe(2);
  });

  test('tell numbers that are not finite as they are', async () => {
    const merged = create();
    const worker = await begin(merged);
    for (const level of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      await worker.tell(`set ${level}`);
      expect(await valuesOf(merged, 'level')).toEqual([level]);
    }
  });

  test('that close leave all their totals, and none of their levels', async () => {
    const merged = create();
    const [one, other] = [await begin(merged), await begin(merged)];
    await one.tell('count 7');
    await one.tell('set 10');
    await other.tell('set 1');
    await one.tell('close');
    await one.ended;
    expect(await valuesOf(merged, 'counted_total', 'level', 'observed_seconds_sum')).toEqual([7, 1, 1.5]);
    expect(valueIn(await textOf(merged), 'sage_cluster_workers', { state: 'ended' })).toBe(1);
  });

  test('that are killed leave what they last told', async () => {
    const merged = create();
    const worker = await begin(merged);
    await worker.tell('count 7');
    expect(await valuesOf(merged, 'counted_total')).toEqual([7]);
    await worker.tell('count 1');
    await worker.kill();
    expect(await valuesOf(merged, 'counted_total')).toEqual([7]);
  });

  test('tell unasked too, so that a killed one loses only what it did since', async () => {
    const merged = create();
    const worker = await begin(merged, { REPORT_EVERY_MS: '10' });
    const told = worker.told(7);
    await worker.tell('count 7');
    await told;
    await worker.kill();
    expect(await valuesOf(merged, 'counted_total')).toEqual([7]);
  });

  test('one that does not answer in time is shown as it was, and the others as they are', async () => {
    const merged = create({ waitMs: 250 });
    const [one, stuck] = [await begin(merged), await begin(merged)];
    await Promise.all([one.tell('count 1'), stuck.tell('count 1')]);
    while ((await valuesOf(merged, 'counted_total'))[0] !== 2);
    void stuck.tell('silent');
    await one.tell('count 5');
    let late: number | undefined;
    while (late !== 1) late = valueIn(await textOf(merged), 'sage_cluster_workers', { state: 'late' });
    while ((await valuesOf(merged, 'counted_total'))[0] !== 7);
  });
});

test('own metrics of the process are shown with those of the workers, and collections at the same moment are one', async () => {
  const own = createCounter({ name: 'counted_total', help: 'Counted.' }, 10);
  own.with().inc(100);
  const merged = create({ own: { instruments: [own] } });
  const worker = await fork(merged);
  await worker.tell('count 1');
  const [one, other] = [merged.collect(), merged.collect()];
  expect(one).toBe(other);
  await one;
  expect(await valuesOf(merged, 'counted_total')).toEqual([101]);
});

test('a thread that has ended already is none to wait for', async () => {
  const merged = create();
  const thread = new Worker('', { eval: true });
  await once(thread, 'exit');
  merged.add(thread);
  const text = await textOf(merged);
  expect(['now', 'late', 'ended'].map((state) => valueIn(text, 'sage_cluster_workers', { state }))).toEqual([0, 0, 0]);
});

test('totals of a thousand threads that ended stay, of most of them as one sum', async () => {
  const merged = create({ waitMs: 250 });
  const channel = openChannel(() => {});
  closing.push(() => channel.close());
  const counted = createCounter({ name: 'counted_total', help: 'Counted.' }, 10);
  counted.with().inc();
  const snapshots = takeSnapshot([counted]);
  const threads = Array.from({ length: 1_000 }, (_, i) => Object.assign(new EventEmitter(), { threadId: 10_000 + i }));
  for (const thread of threads) {
    merged.add(thread);
    channel.postMessage({ kind: '@sage-adk/metrics/report', from: thread.threadId, snapshots }, []);
  }
  while ((await valuesOf(merged, 'counted_total'))[0] !== 1_000);
  for (const thread of threads) thread.emit('exit');
  expect(await valuesOf(merged, 'counted_total')).toEqual([1_000]);
  expect(valueIn(await textOf(merged), 'sage_cluster_workers', { state: 'ended' })).toBe(1_000);
});
