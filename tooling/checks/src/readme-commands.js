/**
 * The two commands of the root README, each alone in a `sh` fence. `.ci/run` runs what this prints, so the README and CI cannot differ.
 *
 * `node readme-commands.js start` prints the command, or exits with 1 if the README does not have exactly one such fence. No dependencies, Node 20:
 * it runs before anything is installed.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fences } from './markdown.js';

const commands = new Map([
  ['start', 'npx --yes pnpm@12 start'],
  ['test', 'npx --yes pnpm@12 test'],
]);

/**
 * What is wrong with the README's commands, as sentences; empty when both stand alone in one fence each.
 * @param {string} text
 */
export function readmeProblems(text) {
  const blocks = fences(text)
    .filter(({ info }) => info === 'sh')
    .map(({ code }) => code.trim());
  return [...commands.values()]
    .map((command) => ({ command, count: blocks.filter((block) => block === command).length }))
    .filter(({ count }) => count !== 1)
    .map(
      ({ command, count }) => `README.md needs exactly one \`\`\`sh fence holding "${command}" alone; found ${count}`,
    );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const command = commands.get(process.argv[2] ?? '');
  const problems = readmeProblems(readFileSync(new URL('../../../README.md', import.meta.url), 'utf8'));
  if (command === undefined) problems.push(`usage: readme-commands.js ${[...commands.keys()].join('|')}`);
  if (problems.length > 0) {
    console.error(problems.join('\n'));
    process.exit(1);
  }
  console.log(command);
}
