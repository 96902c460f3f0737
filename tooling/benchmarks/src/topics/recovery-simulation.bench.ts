import { inOwnProcess } from '../harness/child.ts';
import type { Gate, Report, Topic } from '../harness/topic.ts';
import { contenders, type Settings } from '../simulator/clients.ts';
import type { Score } from '../simulator/simulate.ts';
import type { Task } from '../workers/recovery-simulation.ts';

// Settings are searched on one seed and judged on others. Every contender with choices gets the same number of evaluations, its defaults among them.
const evaluations = 16;
const searchSeed = 90_001;
const seeds = [7_101, 7_102];
const rates = [50, 150, 300, 600];
const plays = [
  ...rates.map((requestsPerSecond) => ({ scenario: 'cold restart', requestsPerSecond })),
  ...['outage', 'brownout', 'partial errors', 'crash on overload'].map((scenario) => ({
    scenario,
    requestsPerSecond: 300,
  })),
];

type Scores = ReadonlyMap<string, Score>;

export const topic: Topic = {
  name: 'Recovery: clients and a backend in trouble, in virtual time',
  async run(): Promise<Report> {
    const figures: Record<string, number | string> = { evaluations, seeds: seeds.join(', ') };
    const results = new Map<string, Scores>();
    for (const { name, defaults, space } of contenders) {
      results.set(name, await play(name, defaults));
      if (Object.keys(space).length === 0) continue;
      const { settings } = await ask<{ settings: Settings }>({
        kind: 'search',
        contender: name,
        evaluations,
        seed: searchSeed,
      });
      figures[`${name}, tuned: settings`] = JSON.stringify(settings);
      results.set(`${name}, tuned`, await play(name, settings));
    }
    for (const [name, scores] of results) for (const [what, score] of scores) figures[`${name}: ${what}`] = told(score);
    return { figures, gates: judge(results) };
  },
};

const worker = new URL('../workers/recovery-simulation.ts', import.meta.url);
const ours = '@sage-adk/recovery, tuned';
const tunedBreakers = ['cockatiel retry + breaker, tuned', 'opossum + p-retry, tuned'];
const tunedPeers = ['p-retry, tuned', ...tunedBreakers];

function ask<T>(task: Task): Promise<T> {
  return inOwnProcess<T>(worker, [JSON.stringify(task)]);
}

/** The mean of all seeds, for each scenario and load. */
async function play(contender: string, settings: Settings): Promise<Scores> {
  const scores = new Map<string, Score>();
  for (const one of plays) {
    const played = await ask<readonly Score[]>({
      kind: 'play',
      contender,
      settings,
      plays: seeds.map((seed) => ({ ...one, seed })),
    });
    const mean = (key: keyof Score): number => played.reduce((sum, score) => sum + score[key], 0) / played.length;
    scores.set(`${one.scenario} ${one.requestsPerSecond}/s`, {
      amplification: mean('amplification'),
      okAfter: mean('okAfter'),
      okDuring: mean('okDuring'),
      wasted: mean('wasted'),
      opened: mean('opened'),
    });
  }
  return scores;
}

function judge(results: ReadonlyMap<string, Scores>): readonly Gate[] {
  const of = (contender: string, what: string): Score => {
    const score = results.get(contender)?.get(what);
    if (score === undefined) throw new Error(`${contender} did not play ${what}.`);
    return score;
  };
  const best = (peers: readonly string[], what: string): Score =>
    peers.map((peer) => of(peer, what)).reduce((one, other) => (other.okAfter > one.okAfter ? other : one));
  const lead = (what: string): number => (of(ours, what).okAfter - best(tunedPeers, what).okAfter) * 100;
  const share = (key: 'wasted' | 'opened', peers: readonly string[]): number =>
    Math.max(...cold.map((what) => of(ours, what)[key] / best(peers, what)[key]));
  const cold = [150, 300, 600].map((rate) => `cold restart ${rate}/s`);
  const outage = 'outage 300/s';
  const budget = '@sage-adk/recovery, retry and budget alone';
  const behind = plays.map(({ scenario, requestsPerSecond }) => {
    const what = `${scenario} ${requestsPerSecond}/s`;
    return (of('no protection', what).okAfter - of(ours, what).okAfter) * 100;
  });
  return [
    {
      name: 'calls per request in an outage, breaker off',
      value: of(budget, outage).amplification,
      limit: 1.3,
      kind: 'at most',
    },
    {
      name: 'calls per request in an outage, breaker on',
      value: of(ours, outage).amplification,
      limit: 0.3,
      kind: 'at most',
    },
    {
      name: 'points ahead of the best tuned peer after a cold restart, least of three loads',
      value: Math.min(...cold.map(lead)),
      limit: 5,
      kind: 'at least',
    },
    {
      name: 'work for nobody after a cold restart, to that of the best tuned peer, most of three loads',
      value: share('wasted', tunedPeers),
      limit: 1 / 3,
      kind: 'at most',
    },
    {
      name: 'openings in outage and cold restart, to those of the best tuned breaker, most of three loads',
      value: share('opened', tunedBreakers),
      limit: 1 / 3,
      kind: 'at most',
    },
    {
      name: 'points behind no protection, most of all scenarios',
      value: Math.max(...behind),
      limit: 2,
      kind: 'at most',
    },
  ];
}

function told({ amplification, okAfter, okDuring, wasted, opened }: Score): string {
  const share = (value: number): string => `${(value * 100).toFixed(1)} %`;
  return `ok after ${share(okAfter)}, ok during ${share(okDuring)}, ${amplification.toFixed(2)} calls per request in trouble, ${wasted.toFixed(0)} wasted, opened ${opened.toFixed(0)}`;
}
