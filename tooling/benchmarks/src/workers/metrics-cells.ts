// Prints the CPU cost of one count and one observation, ours and prom-client's, bound and by label values.
import { createMetrics } from '@sage-adk/metrics';
import { Counter, Histogram, Registry } from 'prom-client';
import { measure } from '../harness/measure.ts';

const labels = ['provider', 'model', 'outcome'] as const;
const buckets = Array.from({ length: 14 }, (_, index) => 0.01 * 2 ** index);
const models = Array.from({ length: 16 }, (_, index) => `model-${index}`);
const modelAt = (index: number): string => models[index & 15] ?? '';
const secondsAt = (index: number): number => (index & 1_023) / 100;

const metrics = createMetrics({ runtime: false });
const ours = {
  counter: metrics.counter({ name: 'bench_calls_total', help: 'Calls.', labels }),
  histogram: metrics.histogram({ name: 'bench_call_duration_seconds', help: 'Duration.', labels, buckets }),
};
const registers = [new Registry()];
const peer = {
  counter: new Counter({ name: 'bench_calls_total', help: 'Calls.', labelNames: labels, registers }),
  histogram: new Histogram({
    name: 'bench_call_duration_seconds',
    help: 'Duration.',
    labelNames: labels,
    buckets,
    registers,
  }),
};
const bound = {
  counter: ours.counter.with('openai', 'model-1', 'ok'),
  histogram: ours.histogram.with('openai', 'model-1', 'ok'),
  peerCounter: peer.counter.labels('openai', 'model-1', 'ok'),
  peerHistogram: peer.histogram.labels('openai', 'model-1', 'ok'),
};

const timings = await measure(
  [
    {
      name: 'bound counter',
      run: (count) => {
        for (let i = 0; i < count; i++) bound.counter.inc();
      },
    },
    {
      name: 'bound counter, prom-client',
      run: (count) => {
        for (let i = 0; i < count; i++) bound.peerCounter.inc();
      },
    },
    {
      name: 'bound histogram',
      run: (count) => {
        for (let i = 0; i < count; i++) bound.histogram.observe(secondsAt(i));
      },
    },
    {
      name: 'bound histogram, prom-client',
      run: (count) => {
        for (let i = 0; i < count; i++) bound.peerHistogram.observe(secondsAt(i));
      },
    },
    {
      name: 'counter by values',
      run: (count) => {
        for (let i = 0; i < count; i++) ours.counter.with('openai', modelAt(i), 'ok').inc();
      },
    },
    {
      name: 'counter by values, prom-client',
      run: (count) => {
        for (let i = 0; i < count; i++) peer.counter.labels('openai', modelAt(i), 'ok').inc();
      },
    },
    {
      name: 'histogram by values',
      run: (count) => {
        for (let i = 0; i < count; i++) ours.histogram.with('openai', modelAt(i), 'ok').observe(secondsAt(i));
      },
    },
    {
      name: 'histogram by values, prom-client',
      run: (count) => {
        for (let i = 0; i < count; i++) peer.histogram.labels('openai', modelAt(i), 'ok').observe(secondsAt(i));
      },
    },
  ],
  300_000,
  9,
);
console.log(JSON.stringify(Object.fromEntries([...timings].map(([name, { medianNs }]) => [name, medianNs]))));
process.exit(0);
