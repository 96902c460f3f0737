import { once } from 'node:events';
import { get } from 'node:http';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from '@jest/globals';
import { recordOperations } from '@sage-adk/core/testing';
import { leastOf } from '@tooling/services';
import { pathsOf } from '../../src/http/answers.ts';
import { answeringOf } from '../../src/http/handler.ts';
import { listenForProbes } from '../../src/http/node.ts';
import { type ProbeThread, serveInThread } from '../../src/http/probe-thread.ts';
import { serveHere, type ServedProbes } from '../../src/http/served-probes.ts';
import { supervise } from '../../src/http/supervise.ts';
import { createHealth, type Health } from '../../src/index.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});
function open<T extends { close(): Promise<void> }>(one: T): T {
  opened.push(one);
  return one;
}

function readyHealth(): Health {
  const health = open(createHealth());
  health.markStarted();
  return health;
}

const probe = async (port: number, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}/health/${path}`);
  return { status: response.status, body: (await response.json()) as { reason?: string } };
};
const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
};

/** Somebody outside, who probes each 25 ms while this thread stands still, and counts what it sees of a blocked loop. */
const outsider = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { get, Agent } = require('node:http');
  const agent = new Agent({ keepAlive: true });
  const counted = new Int32Array(workerData.counted);
  const seen = [];
  parentPort.once('message', () => { parentPort.postMessage(seen); process.exit(); });
  const probe = (path) => {
    const at = performance.now();
    get(workerData.url + path, { agent }, (response) => {
      response.resume().on('end', () => {
        seen.push({ path, at, status: response.statusCode, tookMs: performance.now() - at });
        if (path === 'ready' && response.statusCode === 503) Atomics.add(counted, 0, 1);
      });
    });
  };
  setInterval(() => ['live', 'ready', 'startup'].forEach(probe), 25);
`;
interface Seen {
  readonly path: string;
  readonly at: number;
  readonly status: number;
  readonly tookMs: number;
}

describe('the thread of the probes', () => {
  test('OH1: answers within milliseconds while the event loop is blocked, 200 at first and 503 after the bound', async () => {
    const listener = open(await listenForProbes(readyHealth(), { port: 0, blockedAfterMs: 500 }));
    // What waited for the loop would take half of the time that it is blocked, and more.
    const slowest = await leastOf(1 / 3, async () => slowestWhileBlocked(listener));
    expect(slowest).toBeLessThan(1 / 3);
  });

  test('OH2: knows of each change at once', async () => {
    const db = { isDown: false };
    const health = readyHealth();
    const listener = open(await listenForProbes(health, { port: 0 }));
    health.register({
      name: 'db',
      failureThreshold: 1,
      check: async () => {
        if (db.isDown) throw new Error('down');
      },
    });
    await health.refresh();
    expect((await probe(listener.port, 'ready')).status).toBe(200);
    db.isDown = true;
    await health.refresh();
    expect((await probe(listener.port, 'ready')).body.reason).toBe('db: failing');
    health.setDraining();
    expect((await probe(listener.port, 'ready')).body.reason).toBe('draining');
  });

  test('the main thread serves where asked', async () => {
    const listener = open(await listenForProbes(readyHealth(), { port: 0, thread: 'main' }));
    expect((await probe(listener.port, 'ready')).status).toBe(200);
  });

  test('closing frees the port', async () => {
    const health = readyHealth();
    const first = await listenForProbes(health, { port: 0 });
    await first.close();
    await expect(probe(first.port, 'live')).rejects.toThrow('fetch failed');
    const second = open(await listenForProbes(health, { port: first.port }));
    expect(second.port).toBe(first.port);
  });

  test('does not wait for a client that holds its connection', async () => {
    const listener = await listenForProbes(readyHealth(), { port: 0 });
    const request = get(`${listener.url}/health/live`, { headers: { connection: 'keep-alive' } });
    const [response] = await once(request, 'response');
    response.resume();
    request.on('error', () => {});
    await listener.close();
  });
});

describe('what serves the probes', () => {
  const options = { host: '127.0.0.1', port: 0, paths: pathsOf(), details: false, blockedAfterMs: 5_000 };

  test('is replaced on the same port when its thread breaks, and in the end by the main thread, each with a word about it', async () => {
    using recorded = recordOperations();
    const health = readyHealth();
    const threads: ProbeThread[] = [];
    let inMain: ServedProbes | undefined;
    const served = open(
      await supervise(
        {
          async first(port) {
            const thread = await serveInThread(health, { ...options, port });
            threads.push(thread);
            return thread;
          },
          last: async (port) => (inMain = await serveHere(answeringOf(health), { host: options.host, port })),
        },
        0,
      ),
    );
    for (let broken = 1; broken <= 4; broken++) {
      await threads.at(-1)?.worker.terminate();
      await until(() => (broken < 4 ? threads.length > broken : inMain !== undefined));
      expect((await probe(served.port, 'ready')).status).toBe(200);
    }
    expect(inMain?.port).toBe(served.port);
    expect(recorded.emitted('error.critical')).toHaveLength(4);
    expect(recorded.emitted('error.critical')[0]).toMatchObject({ source: 'health', reason: 'probe_thread' });
  });

  test('says so when nothing can serve any more', async () => {
    using recorded = recordOperations();
    let break_ = (_: string): void => {};
    const broken = new Promise<string>((resolve) => (break_ = resolve));
    const taken = (): Promise<ServedProbes> => Promise.reject(new Error('taken'));
    let first: () => Promise<ServedProbes> = async () => ({ port: 1, broken, close: async () => {} });
    const served = await supervise({ first: () => first(), last: taken }, 0);
    first = taken;
    break_('gone');
    await until(() => recorded.emitted('error.critical').length === 2);
    expect(recorded.emitted('error.critical')[1]).toMatchObject({ reason: 'probe_listener' });
    await served.close();
  });
});

/** Blocks the event loop while another thread asks; the time that nine of ten answers took at most, as a part of that for which it was blocked. */
async function slowestWhileBlocked(listener: Awaited<ReturnType<typeof listenForProbes>>): Promise<number> {
  const counted = new SharedArrayBuffer(4);
  const workerData = { url: `${listener.url}/health/`, counted };
  const worker = new Worker(outsider, { eval: true, workerData, execArgv: [] });
  await until(async () => (await probe(listener.port, 'live')).status === 200);
  await new Promise((resolve) => setTimeout(resolve, 200));
  // At least so long, and until the other thread had the time to see it: a busy machine may not give it any at once.
  const beganMs = performance.now();
  let blockedMs = 0;
  while (blockedMs < 1_500 || (Atomics.load(new Int32Array(counted), 0) < 20 && blockedMs < 60_000)) {
    blockedMs = performance.now() - beganMs;
  }
  worker.postMessage('report', []);
  const [seen] = (await once(worker, 'message')) as [readonly Seen[]];
  const live = seen.filter(({ path }) => path === 'live');
  const firstDown = live.find(({ status }) => status === 503);
  const blockedFrom = live.findIndex(({ status }) => status === 503);
  expect(live.slice(0, blockedFrom).every(({ status }) => status === 200)).toBe(true);
  expect(firstDown).toBeDefined();
  expect(live.length).toBeGreaterThan(10);
  expect(seen.filter(({ path, status }) => path === 'ready' && status === 503).length).toBeGreaterThan(5);
  expect(seen.every(({ path, status }) => path !== 'startup' || status === 200)).toBe(true);
  const slow = seen.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  await until(async () => (await probe(listener.port, 'live')).status === 200);
  return (slow[Math.floor(slow.length * 0.9)] ?? Number.NaN) / blockedMs;
}
