// Plays what the argument says, in virtual time: JSON of one task or of the search for one contender's settings. Prints JSON.
import { createSeededRandom } from '@sage-adk/core/testing';
import { contenders, type Contender, type Settings } from '../simulator/clients.ts';
import { scenarios, type Scenario } from '../simulator/scenarios.ts';
import { type Score, simulate } from '../simulator/simulate.ts';
import { takeOverTime } from '../simulator/virtual-time.ts';

/** What the topic asks of a process. */
export type Task =
  | { readonly kind: 'search'; readonly contender: string; readonly evaluations: number; readonly seed: number }
  | {
      readonly kind: 'play';
      readonly contender: string;
      readonly settings: Settings;
      readonly plays: readonly {
        readonly scenario: string;
        readonly requestsPerSecond: number;
        readonly seed: number;
      }[];
    };

/** Cold restarts and outages at two loads are what settings are searched for. */
const searched = [
  { scenario: 'cold restart', requestsPerSecond: 150 },
  { scenario: 'cold restart', requestsPerSecond: 300 },
  { scenario: 'outage', requestsPerSecond: 300 },
];

// Millions of errors are made and nobody reads where: their stacks would cost most of the time.
Error.stackTraceLimit = 0;
const clock = takeOverTime();
// A client may lose an error of a call that it gave up; a simulation goes on.
process.on('unhandledRejection', () => {});
const task = JSON.parse(process.argv[2] ?? '') as Task;
const contender = named(contenders, task.contender);
console.log(
  JSON.stringify(task.kind === 'search' ? await search(contender, task) : await play(task.plays, task.settings)),
);
process.exit(0);

/** Tries the defaults and random choices, and keeps what answers most after the trouble, less what it wastes and multiplies. */
async function search(subject: Contender, { evaluations, seed }: Extract<Task, { kind: 'search' }>) {
  const random = createSeededRandom(seed);
  let best = { settings: subject.defaults, value: Number.NEGATIVE_INFINITY };
  for (let evaluation = 0; evaluation < evaluations; evaluation++) {
    const settings = evaluation === 0 ? subject.defaults : choose(subject, random);
    const scores = await play(
      searched.map((one) => ({ ...one, seed: seed + 1 })),
      settings,
    );
    const value = scores.reduce((sum, { okAfter }) => sum + okAfter, 0) / scores.length;
    if (value > best.value) best = { settings, value };
  }
  return best;
}

async function play(plays: Extract<Task, { kind: 'play' }>['plays'], settings: Settings): Promise<Score[]> {
  const scores: Score[] = [];
  for (const { scenario, requestsPerSecond, seed } of plays)
    scores.push(
      await simulate(
        { contender, settings, scenario: named<Scenario>(scenarios, scenario), requestsPerSecond, seed },
        clock,
      ),
    );
  return scores;
}

function choose({ defaults, space }: Contender, random: () => number): Settings {
  const chosen = Object.entries(space).map(([name, values]) => [
    name,
    values[Math.floor(random() * values.length)] ?? defaults[name],
  ]);
  return { ...defaults, ...Object.fromEntries(chosen) } as Settings;
}

function named<T extends { readonly name: string }>(items: readonly T[], name: string): T {
  const found = items.find((item) => item.name === name);
  if (found === undefined) throw new Error(`Nothing is called ${name}.`);
  return found;
}
