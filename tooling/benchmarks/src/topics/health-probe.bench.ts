import { availableParallelism, loadavg } from 'node:os';
import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Report, Topic } from '../harness/topic.ts';

interface Times {
  readonly p50: number;
  readonly p99: number;
}

interface Run {
  readonly status: number;
  readonly probes: number;
  readonly checkRuns: number;
  /** How many periods of the check passed. */
  readonly periods: number;
  /** In milliseconds, by round. */
  readonly health: readonly Times[];
  readonly bare: readonly Times[];
}

const worker = new URL('../workers/health-probe.ts', import.meta.url);

export const topic: Topic = {
  name: 'Health: probes of the listener in its thread while a dependency never answers, beside a bare node:http',
  async run(): Promise<Report> {
    const { status, probes, checkRuns, periods, health, bare } = await inOwnProcess<Run>(worker);
    const middleOf = (times: readonly Times[], of: (one: Times) => number): number => median(times.map(of));
    const least = (times: readonly Times[]): number => Math.min(...times.map(({ p99 }) => p99));
    return {
      figures: {
        'status of ready, the check not being critical': status,
        'p50 of a probe, ms': middleOf(health, ({ p50 }) => p50),
        'p50 of bare node:http, ms': middleOf(bare, ({ p50 }) => p50),
        'p99 of a probe, ms, median round': middleOf(health, ({ p99 }) => p99),
        'p99 of bare node:http, ms, median round': middleOf(bare, ({ p99 }) => p99),
        'p99 of bare node:http, ms, quietest round': least(bare),
        probes: probes,
        'runs of the check meanwhile': checkRuns,
        'processors, and processes that wanted one': `${availableParallelism()}, ${loadavg()[0]?.toFixed(1)}`,
      },
      gates: [
        {
          name: 'p99 of a probe, ms, quietest round',
          value: least(health),
          limit: 1,
          kind: 'at most',
        },
        {
          name: 'p99 of a probe over that of bare node:http, median round',
          value: median(health.map(({ p99 }, round) => p99 / (bare[round]?.p99 ?? Number.NaN))),
          limit: 1.5,
          kind: 'at most',
        },
        {
          name: 'p50 of a probe over that of bare node:http, median round',
          value: median(health.map(({ p50 }, round) => p50 / (bare[round]?.p50 ?? Number.NaN))),
          limit: 1.25,
          kind: 'at most',
        },
        {
          name: 'runs of the check over its periods that passed',
          value: checkRuns / Math.ceil(periods),
          limit: 1,
          kind: 'at most',
        },
      ],
    };
  },
};
