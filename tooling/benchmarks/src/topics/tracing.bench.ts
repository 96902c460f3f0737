import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Gate, Report, Topic } from '../harness/topic.ts';

/** What one process measured, in CPU nanoseconds. */
export interface TracingTimings {
  readonly call: number;
  readonly bare: number;
  readonly watched: number;
}

const rounds = 5;
const operations = 6;
// The goals are 60 ns, 5 us and 10 us where a bare async call costs 96 ns; the gates are their ratios, which travel to other machines.
const goalCallNs = 96;
const sets = {
  'no observer': '',
  'tracing, unsampled': 'tracing',
  'tracing, tail sampling that keeps nothing': 'tracing, tail',
  metrics: 'metrics',
  'logging at INFO, two lines to nowhere': 'logging at INFO',
  'metrics, logging at WARN and tracing': 'metrics+logging at WARN+tracing',
  'metrics, logging at INFO (two lines to nowhere) and tracing': 'metrics+logging at INFO+tracing',
} as const;
type Set = keyof typeof sets;

const worker = new URL('../workers/tracing.ts', import.meta.url);

export const topic: Topic = {
  name: 'Tracing: what observing a request of six operations costs, none of it sampled',
  async run(): Promise<Report> {
    const names = Object.keys(sets) as Set[];
    const timings = new Map<Set, TracingTimings[]>(names.map((name) => [name, []]));
    for (let round = 0; round < rounds; round++)
      for (const name of names) timings.get(name)?.push(await inOwnProcess<TracingTimings>(worker, [sets[name]]));
    const call = median([...timings.values()].flat().map((one) => one.call));
    const over = (name: Set): number => median((timings.get(name) ?? []).map((one) => one.watched - one.bare));
    // Each process is its own calibration: a busy neighbour slows its calls alike.
    const gate = (name: Set, goalNs: number, pieces = 1): Gate => ({
      name: `${name}, in bare async calls`,
      value: median((timings.get(name) ?? []).map((one) => (one.watched - one.bare) / pieces / one.call)),
      limit: goalNs / goalCallNs,
      kind: 'at most',
    });
    return {
      figures: {
        'bare async call, ns (the calibration)': call,
        ...Object.fromEntries(names.map((name) => [`${name}, ns of a request over bare`, over(name)])),
        'no observer, ns of an operation over bare': over('no observer') / operations,
      },
      gates: [
        gate('no observer', 60, operations),
        gate('tracing, unsampled', 5_000),
        gate('metrics, logging at WARN and tracing', 10_000),
        gate('metrics, logging at INFO (two lines to nowhere) and tracing', 10_000),
      ],
    };
  },
};
