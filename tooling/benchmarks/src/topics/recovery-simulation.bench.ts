import { readFileSync } from 'node:fs';
import { inLanes, inOwnProcess } from '../harness/child.ts';
import type { Gate, Report, Topic } from '../harness/topic.ts';
import { contenders, type Settings } from '../simulator/clients.ts';
import type { Score } from '../simulator/simulate.ts';
import type { Task } from '../workers/recovery-simulation.ts';

/** Settings that `pnpm --filter @tooling/benchmarks tune` found, on other seeds than those that are played here. */
export interface Tuned {
  readonly command: string;
  readonly seed: number;
  /** How many settings were tried for each contender, its defaults among them. */
  readonly evaluations: Readonly<Record<string, number>>;
  readonly settings: Readonly<Record<string, Settings>>;
}

const tuned = JSON.parse(readFileSync(new URL('../simulator/tuned.json', import.meta.url), 'utf8')) as Tuned;
const seeds = [7_101, 7_102];
const rates = [50, 150, 300, 600, 1_000];
const outageRates = [50, 300, 1_000];
const plays = [
  ...rates.map((requestsPerSecond) => ({ scenario: 'cold restart', requestsPerSecond })),
  ...outageRates.map((requestsPerSecond) => ({ scenario: 'outage', requestsPerSecond })),
  ...['brownout', 'partial errors', 'crash on overload'].map((scenario) => ({ scenario, requestsPerSecond: 300 })),
];

type Scores = ReadonlyMap<string, Score>;

export const topic: Topic = {
  name: 'Recovery: clients and a backend in trouble, in virtual time',
  async run(): Promise<Report> {
    const figures: Record<string, number | string> = {
      evaluations: JSON.stringify(tuned.evaluations),
      'seed of the search': tuned.seed,
      seeds: seeds.join(', '),
    };
    const cast = contenders.flatMap(({ name, defaults, space }) => {
      const alone = { contender: name, as: name, settings: defaults };
      if (Object.keys(space).length === 0) return [alone];
      const settings = tuned.settings[name];
      if (settings === undefined) throw new Error(`${name} is not tuned.`);
      figures[`${name}, tuned: settings`] = JSON.stringify(settings);
      return [alone, { contender: name, as: `${name}, tuned`, settings }];
    });
    const results = new Map<string, Scores>();
    const parts = cast.flatMap((one) => seeds.map((seed) => ({ ...one, seed })));
    // The longest first, so that no lane waits for the other at the end.
    const long = ({ contender }: { contender: string }): number => (contender.includes('p-retry') ? 0 : 1);
    const played = await inLanes(
      parts.toSorted((one, other) => long(one) - long(other)),
      async ({ seed, ...one }) => ({ ...one, scores: await play(one.contender, one.settings, seed) }),
    );
    for (const { as } of cast)
      results.set(as, meanOf(played.filter((one) => one.as === as).map(({ scores }) => scores)));
    for (const [name, scores] of results) for (const [what, score] of scores) figures[`${name}: ${what}`] = told(score);
    return { figures, gates: [...judge(results, `${ours}, tuned`, ''), ...judge(results, ours, ' (at defaults)')] };
  },
};

/** Pending calls by the hundred thousand are copied less often, and not by threads that would fight for two cores. */
export const simulationFlags = ['--max-semi-space-size=128', '--single-threaded-gc'];

const worker = new URL('../workers/recovery-simulation.ts', import.meta.url);
export const ours = '@sage-adk/recovery';
const tunedBreakers = ['cockatiel retry + breaker, tuned', 'opossum + p-retry, tuned'];
const tunedPeers = ['p-retry, tuned', ...tunedBreakers];

async function play(contender: string, settings: Settings, seed: number): Promise<readonly Score[]> {
  const task: Task = { kind: 'play', contender, settings, plays: plays.map((one) => ({ ...one, seed })) };
  return inOwnProcess<readonly Score[]>(worker, [JSON.stringify(task)], { flags: simulationFlags });
}

/** The mean of all seeds, for each scenario and load. */
function meanOf(played: readonly (readonly Score[])[]): Scores {
  const mean = (index: number, key: keyof Score): number =>
    played.reduce((sum, scores) => sum + (scores[index]?.[key] ?? Number.NaN), 0) / played.length;
  return new Map(
    plays.map(({ scenario, requestsPerSecond }, index) => [
      `${scenario} ${requestsPerSecond}/s`,
      {
        amplification: mean(index, 'amplification'),
        okAfter: mean(index, 'okAfter'),
        okDuring: mean(index, 'okDuring'),
        wasted: mean(index, 'wasted'),
        opened: mean(index, 'opened'),
      },
    ]),
  );
}

function judge(results: ReadonlyMap<string, Scores>, own: string, note: string): readonly Gate[] {
  const of = (contender: string, what: string): Score => {
    const score = results.get(contender)?.get(what);
    if (score === undefined) throw new Error(`${contender} did not play ${what}.`);
    return score;
  };
  const best = (peers: readonly string[], what: string): Score =>
    peers.map((peer) => of(peer, what)).reduce((one, other) => (other.okAfter > one.okAfter ? other : one));
  const cold = [150, 300, 600].map((rate) => `cold restart ${rate}/s`);
  const outages = outageRates.map((rate) => `outage ${rate}/s`);
  const lead = (what: string): number => (of(own, what).okAfter - best(tunedPeers, what).okAfter) * 100;
  const share = (key: 'wasted' | 'opened', peers: readonly string[], whats: readonly string[]): number =>
    Math.max(...whats.map((what) => of(own, what)[key] / best(peers, what)[key]));
  const amplified = (contender: string): number =>
    Math.max(...outages.map((what) => of(contender, what).amplification));
  const behind = plays.map(({ scenario, requestsPerSecond }) => {
    const what = `${scenario} ${requestsPerSecond}/s`;
    return (of('no protection', what).okAfter - of(own, what).okAfter) * 100;
  });
  const gate = (name: string, kind: Gate['kind'], limit: number, value: number): Gate => ({
    name: `${name}${note}`,
    value,
    limit,
    kind,
  });
  const budget = of(`${ours}, retry and budget alone`, 'outage 300/s').amplification;
  return [
    ...(note === '' ? [gate('calls per request in an outage, breaker off', 'at most', 1.3, budget)] : []),
    gate('calls per request in an outage, breaker on, most of three loads', 'at most', 0.3, amplified(own)),
    gate(
      'points ahead of the best tuned peer after a cold restart, least of three loads',
      'at least',
      5,
      Math.min(...cold.map(lead)),
    ),
    gate(
      'work for nobody after a cold restart, to that of the best tuned peer, most of three loads',
      'at most',
      1 / 3,
      share('wasted', tunedPeers, cold),
    ),
    gate(
      'openings in outage and cold restart, to those of the best tuned breaker, most of all loads',
      'at most',
      1 / 3,
      share('opened', tunedBreakers, [...outages, ...cold]),
    ),
    gate('points behind no protection, most of all scenarios', 'at most', 2, Math.max(...behind)),
  ];
}

function told({ amplification, okAfter, okDuring, wasted, opened }: Score): string {
  const share = (value: number): string => `${(value * 100).toFixed(1)} %`;
  return `ok after ${share(okAfter)}, ok during ${share(okDuring)}, ${amplification.toFixed(2)} calls per request in trouble, ${wasted.toFixed(0)} wasted, opened ${opened.toFixed(0)}`;
}
