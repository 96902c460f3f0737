import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Gate, Report, Topic } from '../harness/topic.ts';

/** CPU nanoseconds by variant; a variant and `, prom-client` are the same work. */
type Timings = Readonly<Record<string, number>>;

const processes = 5;
const worker = new URL('../workers/metrics-cells.ts', import.meta.url);
const variants = ['bound counter', 'bound histogram', 'counter by values', 'histogram by values'] as const;

export const topic: Topic = {
  name: 'Metrics: one count and one observation, beside prom-client 15',
  async run(): Promise<Report> {
    const rounds: Timings[] = [];
    for (let round = 0; round < processes; round++) rounds.push(await inOwnProcess<Timings>(worker));
    const names = variants.flatMap((variant) => [variant, `${variant}, prom-client`]);
    return {
      figures: Object.fromEntries(
        names.map((name) => [`${name}, ns`, median(rounds.map((round) => round[name] ?? Number.NaN))]),
      ),
      gates: variants.map((variant): Gate => {
        const ratios = rounds.map((round) => (round[`${variant}, prom-client`] ?? 0) / (round[variant] ?? Number.NaN));
        return {
          name: `prom-client over ours, ${variant}`,
          value: median(ratios),
          limit: variant.startsWith('bound') ? 10 : 5,
          kind: 'at least',
        };
      }),
    };
  },
};
