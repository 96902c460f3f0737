import { startRedis, started } from '@tooling/services';
import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Gate, Report, Topic } from '../harness/topic.ts';
import type { SlicesReport } from '../workers/limiter-slices.ts';

const worker = new URL('../workers/limiter-slices.ts', import.meta.url);
const processes = 4;
const limit = 4_000;
const forMs = 6_000;
// By then a bucket that began full is empty, slices are as large as the load needs, and the code is compiled: the goals are those of a steady load.
const steadyFromUs = 3_000_000;
const strategies = ['token-bucket', 'sliding-window', 'fixed-window'] as const;

export const topic: Topic = {
  name: `Slices of a limit of ${limit} a second, which ${processes} processes share on one Redis`,
  async run(): Promise<Report> {
    const figures: Record<string, number> = {};
    const gates: Gate[] = [];
    for (const strategy of strategies) {
      const calm = await runFleet(strategy, 0.75);
      const busy = await runFleet(strategy, 1.5);
      const p50 = medianOf(calm, ({ sliced }) => sliced.p50);
      const p99 = medianOf(calm, ({ sliced }) => sliced.p99);
      const directP50 = medianOf(calm, ({ direct }) => direct.p50);
      const used = usedOf(busy);
      const beyond = Math.max(beyondOf(strategy, calm), beyondOf(strategy, busy));
      figures[`${strategy}, 75 % load, check from slices, p50 us`] = p50;
      figures[`${strategy}, 75 % load, check from slices, p99 us`] = p99;
      figures[`${strategy}, check of the store alone, p50 us`] = directP50;
      figures[`${strategy}, 150 % load, part of the limit that is used`] = used;
      figures[`${strategy}, most units beyond the limit`] = beyond;
      gates.push(
        // The goals are 5 us and 100 us where a round trip takes 125 us.
        {
          name: `${strategy}, p50 of a check over that of the store alone`,
          value: p50 / directP50,
          limit: 0.04,
          kind: 'at most',
        },
        {
          name: `${strategy}, p99 of a check over p50 of the store alone`,
          value: p99 / directP50,
          limit: 0.8,
          kind: 'at most',
        },
        { name: `${strategy}, units beyond the limit`, value: beyond, limit: 0, kind: 'at most' },
        { name: `${strategy}, limit that is not used`, value: 1 - used, limit: 0.02, kind: 'at most' },
      );
    }
    return { figures, gates };
  },
};

type Strategy = (typeof strategies)[number];

/** Every process asks for its part of `load` times the limit; a fresh server for each fleet. */
async function runFleet(strategy: Strategy, load: number): Promise<readonly SlicesReport[]> {
  await using redis = started(await startRedis({ fresh: true }));
  // At a full second, where windows begin, and when every process is up on a busy machine as well.
  const beginMs = Math.ceil(Date.now() / 1_000 + 8) * 1_000;
  const perMs = (limit * load) / processes / 1_000;
  const args = [redis.url, strategy, limit, perMs, beginMs, forMs, steadyFromUs / 1_000].map(String);
  return await Promise.all(Array.from({ length: processes }, () => inOwnProcess<SlicesReport>(worker, args)));
}

function usedOf(fleet: readonly SlicesReport[]): number {
  const steady = fleet.flatMap(({ admitted }) =>
    admitted.filter(([, atUs]) => atUs >= steadyFromUs && atUs < forMs * 1_000),
  );
  return steady.length / ((limit * (forMs - steadyFromUs / 1_000)) / 1_000);
}

/** Units beyond what the strategy promises, in its worst second; those asked and answered in it count. */
function beyondOf(strategy: Strategy, fleet: readonly SlicesReport[]): number {
  const admitted = fleet.flatMap((each) => each.admitted).toSorted(([a], [b]) => a - b);
  // A bucket that was full admits a second's refill as well.
  const promised = strategy === 'token-bucket' ? 2 * limit : limit;
  let most = 0;
  let first = 0;
  const starts =
    strategy === 'fixed-window' ? Array.from({ length: forMs / 1_000 }, (_, n) => n * 1_000_000) : undefined;
  for (const startUs of starts ?? admitted.map(([askedUs]) => askedUs)) {
    while ((admitted[first]?.[0] ?? Number.POSITIVE_INFINITY) < startUs) first++;
    let units = 0;
    for (let at = first; at < admitted.length; at++) {
      const [askedUs, answeredUs] = admitted[at] ?? [0, 0];
      if (askedUs >= startUs + 1_000_000) break;
      if (answeredUs < startUs + 1_000_000) units++;
    }
    most = Math.max(most, units);
  }
  return Math.max(0, most - promised);
}

function medianOf(fleet: readonly SlicesReport[], read: (each: SlicesReport) => number): number {
  return median(fleet.map(read));
}
