/**
 * `pnpm --filter @tooling/benchmarks tune [contender ...]`: searches settings for the contenders of the recovery simulation that have any, and writes
 * simulator/tuned.json. Takes some minutes; `pnpm bench recovery-simulation` plays what was found, on other seeds.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { inLanes, inOwnProcess } from './harness/child.ts';
import { contenders, type Settings } from './simulator/clients.ts';
import { ours, simulationFlags, type Tuned } from './topics/recovery-simulation.bench.ts';
import type { Task } from './workers/recovery-simulation.ts';

/** Ours has fewer: two rules of its breaker were chosen by about ten more plays, by hand and on other seeds. */
const evaluationsOf = (name: string): number => (name === ours ? 24 : 40);
const seed = 90_001;
const file = new URL('./simulator/tuned.json', import.meta.url);
const { settings: known, evaluations } = JSON.parse(readFileSync(file, 'utf8')) as Tuned;
const wanted = process.argv.slice(2);
const searched = contenders.filter(
  ({ name, space }) => Object.keys(space).length > 0 && (wanted.length === 0 || wanted.includes(name)),
);
const found = await inLanes(searched, async ({ name }) => {
  const task: Task = { kind: 'search', contender: name, evaluations: evaluationsOf(name), seed };
  const { settings, value } = await inOwnProcess<{ settings: Settings; value: number }>(
    new URL('./workers/recovery-simulation.ts', import.meta.url),
    [JSON.stringify(task)],
    { timeoutMs: 3_600_000, flags: simulationFlags },
  );
  console.log(`${name}: ${(value * 100).toFixed(1)} % ${JSON.stringify(settings)}`);
  return [name, settings] as const;
});
const tuned: Tuned = {
  command: 'pnpm --filter @tooling/benchmarks tune',
  seed,
  evaluations: { ...evaluations, ...Object.fromEntries(searched.map(({ name }) => [name, evaluationsOf(name)])) },
  settings: { ...known, ...Object.fromEntries(found) },
};
writeFileSync(file, `${JSON.stringify(tuned, undefined, 2)}\n`);
