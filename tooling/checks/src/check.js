/**
 * `pnpm check` runs every check of the repository, two at a time; `pnpm check NAME...` runs the named ones.
 *
 * One line per check with its time; the full output only of those that fail. Exits with 1 if any fails.
 */
import { workspaceRoot } from './workspace.js';
import { runCommand } from './run-command.js';

/** The longest first, so that the two lanes end together. `built` ones read dist/, so a build runs before them. */
const checks = [
  { name: 'packed', built: true },
  { name: 'attw', built: true },
  { name: 'readme-snippets', built: true },
  { name: 'lint', built: true },
  { name: 'knip', built: true },
  { name: 'sizes', built: true },
  { name: 'root-entry', built: true },
  { name: 'publint', built: true },
  { name: 'format' },
  { name: 'boundaries' },
  { name: 'manifests' },
  { name: 'requirements' },
  { name: 'links' },
  { name: 'lockfile' },
  { name: 'changesets' },
  { name: 'readme-commands' },
];

async function main(names) {
  const unknown = names.filter((name) => !checks.some((check) => check.name === name));
  if (unknown.length > 0) {
    console.error(`No check is called ${unknown.join(', ')}. There are: ${checks.map(({ name }) => name).join(', ')}.`);
    return 1;
  }
  const chosen = checks.filter(({ name }) => names.length === 0 || names.includes(name));
  const startedMs = performance.now();
  const buildFailed = chosen.some(({ built }) => built) && !(await report('build', build));
  const runnable = chosen.filter(({ built }) => !(built && buildFailed));
  const results = await inLanes(2, runnable, ({ name }) =>
    report(name, async () => (await import(`./steps/${name}.js`)).check(workspaceRoot)),
  );
  const failed = results.filter((passed) => !passed).length + (chosen.length - runnable.length) + (buildFailed ? 1 : 0);
  console.log(`${failed === 0 ? 'all' : `${failed} failed of`} ${chosen.length} checks, ${seconds(startedMs)}`);
  return failed === 0 ? 0 : 1;
}

async function build(root = workspaceRoot) {
  const { code, output } = await runCommand('turbo', ['run', 'build', '--output-logs=errors-only'], { cwd: root });
  return { problems: code === 0 ? [] : [output.trim()] };
}

async function report(name, run) {
  const startedMs = performance.now();
  const { problems, note = '' } = await run().catch((error) => ({ problems: [error.stack ?? String(error)] }));
  const passed = problems.length === 0;
  console.log(`${passed ? 'ok  ' : 'FAIL'}  ${name.padEnd(16)} ${seconds(startedMs).padStart(7)}  ${note}`.trimEnd());
  for (const problem of problems) console.log(problem.replaceAll(/^/gm, '      '));
  return passed;
}

/** Runs `work` over the items with at most `lanes` at once; results keep the order of the items. */
async function inLanes(lanes, items, work) {
  const results = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

function seconds(startedMs) {
  return `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
}

process.exitCode = await main(process.argv.slice(2));
