/**
 * `pnpm check` runs every check of the repository, two at a time; `pnpm check NAME...` runs the named ones.
 *
 * One line per check with its time; the full output only of those that fail. Exits with 1 if any fails.
 */
import { runCommand } from './run-command.ts';
import type { Verdict } from './verdict.ts';
import { workspaceRoot } from './workspace.ts';

interface Check {
  readonly name: string;
  /** It reads dist/, so a build runs before it. */
  readonly built?: boolean;
}

interface Step {
  check(root: string): Promise<Verdict>;
}

/** The longest first, so that the two lanes end together. */
const checks: readonly Check[] = [
  { name: 'packed', built: true },
  { name: 'attw', built: true },
  { name: 'readme-snippets', built: true },
  { name: 'lint', built: true },
  { name: 'knip', built: true },
  { name: 'sizes', built: true },
  { name: 'root-entry', built: true },
  { name: 'publint', built: true },
  { name: 'reference', built: true },
  { name: 'format' },
  { name: 'boundaries' },
  { name: 'manifests' },
  { name: 'requirements' },
  { name: 'links' },
  { name: 'lockfile' },
  { name: 'changesets' },
  { name: 'readme-commands' },
];

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !checks.some((check) => check.name === name));
  if (unknown.length > 0) {
    console.error(`No check is called ${unknown.join(', ')}. There are: ${checks.map(({ name }) => name).join(', ')}.`);
    return 1;
  }
  const chosen = checks.filter(({ name }) => names.length === 0 || names.includes(name));
  const startedMs = performance.now();
  const built = !chosen.some((check) => check.built) || (await report('build', build));
  const runnable = chosen.filter((check) => built || !check.built);
  const results = await inLanes(2, runnable, ({ name }) => report(name, () => runStep(name)));
  const failed = results.filter((passed) => !passed).length;
  const notRun = chosen.filter((check) => !runnable.includes(check)).map(({ name }) => name);
  if (notRun.length > 0) console.log(`not run, because the build failed: ${notRun.join(', ')}`);
  console.log(`${results.length - failed} of ${chosen.length} checks passed, ${seconds(startedMs)}`);
  return failed === 0 && built ? 0 : 1;
}

async function runStep(name: string): Promise<Verdict> {
  const step: Step = await import(`./steps/${name}.ts`);
  return step.check(workspaceRoot);
}

async function build(): Promise<Verdict> {
  const { code, output } = await runCommand('turbo', ['run', 'build', '--output-logs=errors-only'], {
    folder: workspaceRoot,
  });
  return { problems: code === 0 ? [] : [output.trim()] };
}

/** Runs a check and prints its line; resolves with whether it passed. A check that throws has failed. */
async function report(name: string, run: () => Promise<Verdict>): Promise<boolean> {
  const startedMs = performance.now();
  const { problems, note = '' }: Verdict = await run().catch((error: unknown) => ({
    problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  }));
  const passed = problems.length === 0;
  console.log(`${passed ? 'ok  ' : 'FAIL'}  ${name.padEnd(16)} ${seconds(startedMs).padStart(7)}  ${note}`.trimEnd());
  for (const problem of problems) console.log(problem.replaceAll(/^/gm, '      '));
  return passed;
}

/** Runs `work` over the items with at most `lanes` at once; results keep the order of the items. */
async function inLanes<I, R>(lanes: number, items: readonly I[], work: (item: I) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

function seconds(startedMs: number): string {
  return `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
}

process.exitCode = await main(process.argv.slice(2));
