import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Report, Topic } from '../harness/topic.ts';

/** CPU nanoseconds of one decision. */
type Timings = Readonly<Record<'ours sync' | 'ours async' | 'rate-limiter-flexible' | 'express-rate-limit', number>>;

const processes = 5;
const worker = new URL('../workers/limiter-memory.ts', import.meta.url);

export const topic: Topic = {
  name: 'Limiter in memory: one rule, beside rate-limiter-flexible and express-rate-limit',
  async run(): Promise<Report> {
    const one = await timingsWith(1);
    const million = await timingsWith(1_000_000);
    const over = (timings: readonly Timings[], peer: keyof Timings, ours: keyof Timings): number =>
      median(timings.map((round) => round[peer] / round[ours]));
    return {
      figures: { ...figuresOf(one, '1 key'), ...figuresOf(million, '1,000,000 keys') },
      gates: [
        {
          name: 'rate-limiter-flexible over ours, sync, 1 key',
          value: over(one, 'rate-limiter-flexible', 'ours sync'),
          limit: 3,
          kind: 'at least',
        },
        {
          name: 'rate-limiter-flexible over ours, async, 1 key',
          value: over(one, 'rate-limiter-flexible', 'ours async'),
          limit: 1.2,
          kind: 'at least',
        },
        {
          name: 'rate-limiter-flexible over ours, sync, 1,000,000 keys',
          value: over(million, 'rate-limiter-flexible', 'ours sync'),
          limit: 1.8,
          kind: 'at least',
        },
      ],
    };
  },
};

async function timingsWith(keys: number): Promise<Timings[]> {
  const rounds: Timings[] = [];
  for (let round = 0; round < processes; round++) rounds.push(await inOwnProcess<Timings>(worker, [String(keys)]));
  return rounds;
}

function figuresOf(rounds: readonly Timings[], keys: string): Record<string, number> {
  const names = ['ours sync', 'ours async', 'rate-limiter-flexible', 'express-rate-limit'] as const;
  return Object.fromEntries(names.map((name) => [`${name}, ${keys}, ns`, median(rounds.map((round) => round[name]))]));
}
