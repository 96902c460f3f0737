import { startRedis, started } from '@tooling/services';
import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Gate, Report, Topic } from '../harness/topic.ts';
import type { SlicesReport, SlicesRound } from '../workers/limiter-slices.ts';

const worker = new URL('../workers/limiter-slices.ts', import.meta.url);
const processes = 4;
// At the higher one a process checks some calls in each millisecond, at the lower one it sleeps until there is one, and finds nothing of its code in the processor.
const limits = { high: 20_000, low: 4_000 } as const;
/** Of the load that is calm: as many rounds, each with checks of the store alone after it. The first is not judged. */
const calm = { rounds: 6, roundMs: 1_500, timedFromMs: 500 };
// By the time that is judged a bucket that began full is empty. A window that is emptied early would look full in a few whole seconds: a little too much, for longer.
const steadyFromMs = 3_000;
const busy = { bucket: { load: 1.5, roundMs: 6_000 }, window: { load: 1.05, roundMs: 13_000 } } as const;
const strategies = ['token-bucket', 'sliding-window', 'fixed-window'] as const;

export const topic: Topic = {
  name: `Slices of a limit a second, which ${processes} processes share on one Redis`,
  async run(): Promise<Report> {
    const figures: Record<string, number> = {};
    const gates: Gate[] = [];
    for (const strategy of strategies) {
      const atMost = (name: string, value: number, limit: number): void =>
        void gates.push({ name: `${strategy}, ${name}`, value, limit, kind: 'at most' });
      const fleets: (readonly [number, readonly SlicesReport[]])[] = [];
      for (const limit of [limits.high, limits.low]) {
        const fleet = await runFleet(strategy, limit, { load: 0.75, ...calm });
        fleets.push([limit, fleet]);
        const ofRounds = (read: (each: SlicesRound) => number): number => medianOfRounds(fleet, read);
        figures[`${strategy}, 75 % of ${limit} a second, check from slices, p50 us`] = ofRounds(
          ({ sliced }) => sliced.p50,
        );
        figures[`${strategy}, 75 % of ${limit} a second, check from slices, p99 us`] = ofRounds(
          ({ sliced }) => sliced.p99,
        );
        figures[`${strategy}, 75 % of ${limit} a second, check of the store alone, p50 us`] = ofRounds(
          ({ direct }) => direct.p50,
        );
        // The goals are 5 us and 100 us where a round trip takes 125 us.
        const ofP50 = ofRounds(({ sliced, direct }) => sliced.p50 / direct.p50);
        const ofP99 = ofRounds(({ sliced, direct }) => sliced.p99 / direct.p50);
        atMost(`p50 of a check over that of the store alone, ${limit} a second`, ofP50, 0.04);
        atMost(`p99 of a check over p50 of the store alone, ${limit} a second`, ofP99, 0.8);
      }
      const much = strategy === 'token-bucket' ? busy.bucket : busy.window;
      const wanting = await runFleet(strategy, limits.low, { ...much, rounds: 1, timedFromMs: 0 });
      fleets.push([limits.low, wanting]);
      const used = usedOf(limits.low, wanting, much.roundMs);
      figures[`${strategy}, ${100 * much.load} % load, part of the limit that is used`] = used;
      atMost('limit that is not used', 1 - used, 0.02);
      // A bucket is empty by now: for longer than a second it admits no more than its rate either.
      atMost('beyond the limit while the load is steady', used - 1, 0.02);
      atMost(
        'units beyond the limit',
        Math.max(...fleets.map(([limit, fleet]) => beyondOf(strategy, limit, fleet))),
        0,
      );
    }
    return { figures, gates };
  },
};

type Strategy = (typeof strategies)[number];

interface Plan {
  readonly load: number;
  readonly rounds: number;
  readonly roundMs: number;
  readonly timedFromMs: number;
}

/** Every process asks for its part of `load` times the limit; a fresh server for each fleet. */
async function runFleet(strategy: Strategy, limit: number, plan: Plan): Promise<readonly SlicesReport[]> {
  await using redis = started(await startRedis({ fresh: true }));
  // At a full second, where windows begin, and when every process is up on a busy machine as well.
  const beginMs = Math.ceil(Date.now() / 1_000 + 12) * 1_000;
  const { load, rounds, roundMs, timedFromMs } = plan;
  const perMs = (limit * load) / processes / 1_000;
  const args = [redis.url, strategy, limit, perMs, beginMs, rounds, roundMs, timedFromMs].map(String);
  return await Promise.all(Array.from({ length: processes }, () => inOwnProcess<SlicesReport>(worker, args)));
}

function usedOf(limit: number, fleet: readonly SlicesReport[], lastsMs: number): number {
  const steady = fleet.map(({ answered }) => sum(answered.slice(steadyFromMs, lastsMs)));
  return sum(steady) / ((limit * (lastsMs - steadyFromMs)) / 1_000);
}

/** Units beyond what the strategy promises, in its worst second; those count that were surely asked and answered in it. */
function beyondOf(strategy: Strategy, limit: number, fleet: readonly SlicesReport[]): number {
  const askedBefore = sumsBefore(fleet.map(({ asked }) => asked));
  const answeredBefore = sumsBefore(fleet.map(({ answered }) => answered));
  // A bucket that was full admits a second's refill as well.
  const promised = strategy === 'token-bucket' ? 2 * limit : limit;
  const step = strategy === 'fixed-window' ? 1_000 : 1;
  let most = 0;
  for (let startMs = 0; startMs + 1_000 < answeredBefore.length; startMs += step)
    most = Math.max(most, (answeredBefore[startMs + 1_000] ?? 0) - (askedBefore[startMs] ?? 0));
  return Math.max(0, most - promised);
}

/** For each millisecond, how many there were before it, in all processes. */
function sumsBefore(counts: readonly (readonly number[])[]): readonly number[] {
  const sums = [0];
  const [first = []] = counts;
  for (const ms of first.keys()) sums.push((sums[ms] ?? 0) + sum(counts.map((each) => each[ms] ?? 0)));
  return sums;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Of all processes in each round but the first, then of these. */
function medianOfRounds(fleet: readonly SlicesReport[], read: (each: SlicesRound) => number): number {
  const [first] = fleet;
  const rounds = first?.rounds.map((_, round) =>
    median(fleet.flatMap((each) => each.rounds.slice(round, round + 1).map(read))),
  );
  return median(rounds?.slice(1) ?? []);
}
