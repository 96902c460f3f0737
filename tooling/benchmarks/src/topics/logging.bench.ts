import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Gate, Report, Topic } from '../harness/topic.ts';

/** CPU nanoseconds of one line by variant. */
type Timings = Readonly<Record<string, number>>;

const processes = 5;
const worker = new URL('../workers/logging.ts', import.meta.url);

/** What the first costs over the second, and the most or least that may be. */
const ratios = [
  ['winston alone', 'ours through winston', 3, 'at least'],
  ['winston alone', 'ours through winston, once a turn', 3, 'at least'],
  ['winston alone', 'ours native, once a turn', 10, 'at least'],
  ['pino', 'ours native', 1, 'at least'],
  // A level that is off costs about what a call that is not inlined and a comparison do: 30 ns where that takes 3.
  ['ours, level off', 'calibration', 10, 'at most'],
] as const;

export const topic: Topic = {
  name: 'Logging: one line with a request, into a file, beside winston and pino',
  async run(): Promise<Report> {
    const rounds: Timings[] = [];
    for (let round = 0; round < processes; round++) rounds.push(await inOwnProcess<Timings>(worker));
    const names = Object.keys(rounds[0] ?? {});
    return {
      figures: Object.fromEntries(
        names.map((name) => [`${name}, ns`, median(rounds.map((round) => round[name] ?? Number.NaN))]),
      ),
      gates: ratios.map(([over, under, limit, kind]): Gate => ({
        name: `${over} over ${under}`,
        value: median(rounds.map((round) => (round[over] ?? Number.NaN) / (round[under] ?? Number.NaN))),
        limit,
        kind,
      })),
    };
  },
};
