// Prints what a scrape of 50,000 lines costs, ours and prom-client's, what one request costs in observations, and what hostile labels do.
import { observe, operate } from '@sage-adk/core';
import { createMetrics } from '@sage-adk/metrics';
import { renderMetrics } from '@sage-adk/metrics/scrape';
import { Counter, Histogram, Registry } from 'prom-client';

const labels = ['provider', 'model', 'outcome'] as const;
const buckets = Array.from({ length: 14 }, (_, index) => 0.01 * 2 ** index);
const scrapes = 7;
const counters = 25;
/** 17 lines each. */
const histogramSeries = 1_470;

function fill() {
  const metrics = createMetrics({ runtime: false, seriesPerMetric: 2_000 });
  const registry = new Registry();
  for (let metric = 0; metric < counters; metric++) {
    const definition = { name: `bench_${metric}_total`, help: 'Bench.' };
    const ours = metrics.counter({ ...definition, labels });
    const peer = new Counter({ ...definition, labelNames: labels, registers: [registry] });
    for (let i = 0; i < 1_000; i++) {
      ours.with('openai', `model-${i}`, 'ok').inc(i);
      peer.labels('openai', `model-${i}`, 'ok').inc(i);
    }
  }
  const definition = { name: 'bench_duration_seconds', help: 'Bench.', buckets };
  const ours = metrics.histogram({ ...definition, labels });
  const peer = new Histogram({ ...definition, labelNames: labels, registers: [registry] });
  for (let i = 0; i < histogramSeries; i++) {
    ours.with('openai', `model-${i}`, 'ok').observe(i / 100);
    peer.labels('openai', `model-${i}`, 'ok').observe(i / 100);
  }
  return { metrics, registry };
}

interface Cost {
  readonly cpuMs: number;
  readonly gapMs: number;
  readonly lines: number;
}

/** CPU of a scrape, and the longest time that no timer could run meanwhile, as CPU of this thread: other processes do not count. */
async function scrape(render: () => AsyncIterable<Uint8Array> | Promise<string>): Promise<Cost> {
  let gapMs = 0;
  let going = true;
  let last = threadMs();
  const turn = (): void => {
    const now = threadMs();
    gapMs = Math.max(gapMs, now - last);
    last = now;
    if (going) setImmediate(turn);
  };
  setImmediate(turn);
  await new Promise((resolve) => void setTimeout(resolve, 5));
  gapMs = 0;
  const started = process.cpuUsage();
  const rendered = render();
  const pieces: Uint8Array[] = [];
  let text = '';
  if (rendered instanceof Promise) text = await rendered;
  else for await (const piece of rendered) pieces.push(piece);
  const cost = cpuMs(started);
  await new Promise(setImmediate);
  going = false;
  const longestMs = gapMs;
  if (pieces.length > 0) text = Buffer.concat(pieces).toString();
  return { cpuMs: cost, gapMs: longestMs, lines: text.split('\n').length };
}

/** Work of this thread alone: what the collector does beside it holds nobody up. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function compare() {
  const { metrics, registry } = fill();
  const ours: Cost[] = [];
  const peer: Cost[] = [];
  for (let i = 0; i < scrapes; i++) {
    globalThis.gc?.();
    ours.push(await scrape(() => renderMetrics(metrics.instruments)));
    globalThis.gc?.();
    peer.push(await scrape(() => registry.metrics()));
  }
  await metrics.close();
  const of = (costs: readonly Cost[], what: keyof Cost) => middle(costs.map((cost) => cost[what]));
  return {
    lines: of(ours, 'lines'),
    cpuMs: of(ours, 'cpuMs'),
    peerCpuMs: of(peer, 'cpuMs'),
    gapMs: of(ours, 'gapMs'),
    peerGapMs: of(peer, 'gapMs'),
  };
}

/** A request of six operations, watched by nobody that does anything, and by metrics. */
async function request() {
  const call = { provider: 'openai', model: 'gpt-x', api: 'chat', stream: false } as const;
  const once = (): void => {
    operate('agent.request', { protocol: 'http', method: 'm', stream: false }, () => {
      operate('agent.middleware', { middleware: 'auth' }, () => {});
      operate('storage.get', { store: 'memory', namespace: 'n' }, () => {});
      operate('llm.call', call, (operation) =>
        operation.set({ inputTokens: 10, outputTokens: 5, costNanoUsd: 5n, firstTokenMs: 3 }),
      );
      operate('tool.call', { tool: 't' }, () => {});
      operate('storage.set', { store: 'memory', namespace: 'n' }, () => {});
    });
  };
  const time = (): number => {
    const rounds = Array.from({ length: 9 }, () => {
      const started = process.cpuUsage();
      for (let i = 0; i < 20_000; i++) once();
      return (cpuMs(started) * 1_000) / 20_000;
    });
    return middle(rounds);
  };
  const quiet = observe({ name: 'nobody', operation: () => ({ end: () => {} }) });
  const bareUs = time();
  const metrics = createMetrics({ runtime: false });
  const watchedUs = time();
  await metrics.close();
  quiet[Symbol.dispose]();
  return { requestUs: watchedUs - bareUs };
}

async function hostile() {
  const metrics = createMetrics({ runtime: false });
  const counter = metrics.counter({ name: 'hostile_total', help: 'Hostile.', labels: ['value'] });
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 1_000_000; i++) counter.with(`value-${i}`).inc();
  globalThis.gc?.();
  const hostileMb = (process.memoryUsage().heapUsed - before) / 1e6;
  const total = counter.samples().reduce((sum, { value }) => sum + value, 0);
  const hostileSeries = counter.size;
  await metrics.close();
  return { hostileSeries, hostileMb, hostileLost: 1_000_000 - total };
}

process.stdout.write(JSON.stringify({ ...(await compare()), ...(await request()), ...(await hostile()) }));
