/**
 * docs/requirements.md is complete and true: a row for every id, every named file exists, and a `done` row is proved by a test that
 * passed in the last run (its name holds the id) or by a dated result file.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { passedTests } from '../test-results.js';
import { readJson, testResultsFolder } from '../workspace.js';

const resultFiles = ['docs/results/*.json', 'tooling/benchmarks/results/*.json'];

export async function check(root) {
  const text = readFileSync(join(root, 'docs', 'requirements.md'), 'utf8');
  const ids = Object.values(readJson(new URL('../requirement-ids.json', import.meta.url))).flat();
  const tests = passedTests(testResultsFolder(root));
  return judge({ root, text, ids, tests });
}

/** `tests` are those that passed, as `{ file, name }`. */
export function judge({ root, text, ids, tests }) {
  const rows = rowsOf(text);
  const problems = [
    ...ids.filter((id) => !rows.some((row) => row.id === id)).map((id) => `${id} has no row`),
    ...rows.filter(({ id }) => !ids.includes(id)).map(({ id }) => `${id} is not in the list of requirements`),
    ...rows
      .filter((row, index) => rows.findIndex(({ id }) => id === row.id) < index)
      .map(({ id }) => `${id} has two rows`),
    ...rows.flatMap((row) => rowProblems(root, row, tests)),
  ];
  const count = (form) => rows.filter(({ state }) => form.test(state)).length;
  return { problems, note: `${count(/^done$/)} done, ${count(/^partial/)} partial, ${count(/^not yet$/)} not yet` };
}

function rowsOf(text) {
  return [...text.matchAll(/^\| ([A-Z]{2}\d+) \|(.*)\|$/gm)].map(([, id, rest]) => {
    const [, source = '', test = '', state = ''] = rest.split('|').map((cell) => cell.trim());
    return { id, source: entries(source), test: entries(test), state };
  });
}

/** Cells hold entries in backticks or plain, separated by commas (files) or by `<br>`. */
const entries = (cell) =>
  cell
    .split(/<br>/)
    .flatMap((entry) => (entry.includes(': ') ? [entry] : entry.split(',')))
    .map((entry) => entry.replaceAll('`', '').trim())
    .filter((entry) => entry !== '');

function rowProblems(root, { id, source, test, state }, tests) {
  if (!/^(done|not yet|partial: \S.*)$/.test(state))
    return [`${id}: the state "${state}" is none of done, partial: why, not yet`];
  const proofs = test.map((entry) => {
    const [file, ...name] = entry.split(': ');
    return { file, name: name.join(': ') };
  });
  const named = [...source, ...proofs.map(({ file }) => file)];
  const problems = named.filter((file) => !existsSync(join(root, file))).map((file) => `${id}: ${file} does not exist`);
  if (state !== 'done') return problems;
  if (source.length === 0) problems.push(`${id} is done and names no source`);
  if (proofs.length === 0) problems.push(`${id} is done and names no test`);
  problems.push(...proofs.flatMap((proof) => proofProblems(root, id, proof, tests)));
  if (!proofs.some((proof) => proves(root, id, proof, tests))) {
    problems.push(
      `${id} is done, and no passed test of the files it names has ${id} in its name (run the tests first)`,
    );
  }
  return problems;
}

/** A test that is named must have passed under that name. */
function proofProblems(root, id, { file, name }, tests) {
  if (name === '' || passedIn(root, file, tests).some((test) => test.name.includes(name))) return [];
  return [`${id}: no test of ${file} passed with "${name}" in its name`];
}

function proves(root, id, { file }, tests) {
  if (resultFiles.some((pattern) => globSync(pattern, { cwd: root }).includes(file))) {
    const { date, requirements } = readJson(join(root, file));
    return !Number.isNaN(Date.parse(date)) && requirements?.[id] === true;
  }
  const word = new RegExp(String.raw`\b${id}\b`);
  return passedIn(root, file, tests).some(({ name }) => word.test(name));
}

const passedIn = (root, file, tests) => tests.filter((test) => test.file === join(root, file));
