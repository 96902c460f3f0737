import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Report, Topic } from '../harness/topic.ts';

const names = [
  'lines',
  'cpuMs',
  'peerCpuMs',
  'gapMs',
  'peerGapMs',
  'requestUs',
  'hostileSeries',
  'hostileMb',
  'hostileLost',
] as const;
type Costs = Readonly<Record<(typeof names)[number], number>>;

const processes = 5;
const worker = new URL('../workers/metrics-scrape.ts', import.meta.url);

export const topic: Topic = {
  name: 'Metrics: a scrape of 50,000 lines beside prom-client 15, the observations of a request, hostile labels',
  async run(): Promise<Report> {
    const rounds: Costs[] = [];
    for (let round = 0; round < processes; round++) rounds.push(await inOwnProcess<Costs>(worker));
    const middleOf = (of: (costs: Costs) => number): number => median(rounds.map(of));
    return {
      figures: {
        'lines of a scrape': middleOf(({ lines }) => lines),
        'scrape, CPU ms': middleOf(({ cpuMs }) => cpuMs),
        'scrape, prom-client, CPU ms': middleOf(({ peerCpuMs }) => peerCpuMs),
        'event-loop gap of a scrape, CPU ms': middleOf(({ gapMs }) => gapMs),
        'event-loop gap of a scrape, prom-client, CPU ms': middleOf(({ peerGapMs }) => peerGapMs),
        'all observations of a request of six operations, us': middleOf(({ requestUs }) => requestUs),
        'heap after a million hostile labels, MB': middleOf(({ hostileMb }) => hostileMb),
      },
      gates: [
        {
          name: 'prom-client over ours, CPU of a scrape',
          value: middleOf(({ cpuMs, peerCpuMs }) => peerCpuMs / cpuMs),
          limit: 2,
          kind: 'at least',
        },
        {
          name: 'event-loop gap of a scrape, CPU ms',
          value: middleOf(({ gapMs }) => gapMs),
          limit: 10,
          kind: 'at most',
        },
        {
          name: 'observations of a request, us',
          value: middleOf(({ requestUs }) => requestUs),
          limit: 5,
          kind: 'at most',
        },
        {
          name: 'series after a million hostile labels',
          value: middleOf(({ hostileSeries }) => hostileSeries),
          limit: 1_000,
          kind: 'at most',
        },
        {
          name: 'counts lost to hostile labels',
          value: middleOf(({ hostileLost }) => hostileLost),
          limit: 0,
          kind: 'at most',
        },
      ],
    };
  },
};
