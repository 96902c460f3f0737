/**
 * docs/requirements.md is complete and true: a row for every id, every named file exists, and a `done` row is proved by a test that
 * passed in the last run (its name holds the id) or by a dated result file.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type NamedTest, passedTests } from '../test-results.ts';
import type { Verdict } from '../verdict.ts';
import { readJson, testResultsFolder } from '../workspace.ts';

export interface Table {
  readonly root: string;
  /** The Markdown that holds the rows. */
  readonly text: string;
  /** Every id that must have a row. */
  readonly ids: readonly string[];
  readonly tests: readonly NamedTest[];
}

interface Row {
  readonly id: string;
  readonly source: readonly string[];
  readonly proofs: readonly Proof[];
  readonly state: string;
}

interface Proof {
  readonly file: string;
  /** Part of the full name of a test; empty if only the file is named. */
  readonly name: string;
}

/** What a dated result file says of the rows it measured. */
interface Result {
  readonly date?: string;
  readonly requirements?: Readonly<Record<string, boolean>>;
}

const resultFile = /^(docs|tooling\/benchmarks)\/results\/[^/]+\.json$/;

export async function check(root: string): Promise<Verdict> {
  const sections: Readonly<Record<string, readonly string[]>> = readJson(
    new URL('../requirement-ids.json', import.meta.url),
  );
  return judge({
    root,
    text: readFileSync(join(root, 'docs', 'requirements.md'), 'utf8'),
    ids: Object.values(sections).flat(),
    tests: passedTests(testResultsFolder(root)),
  });
}

export function judge(table: Table): Verdict {
  const rows = rowsOf(table.text);
  const listed = rows.map(({ id }) => id);
  const count = (form: RegExp): number => rows.filter(({ state }) => form.test(state)).length;
  return {
    problems: [
      ...table.ids.filter((id) => !listed.includes(id)).map((id) => `${id} has no row`),
      ...listed.filter((id) => !table.ids.includes(id)).map((id) => `${id} is not in the list of requirements`),
      ...listed.filter((id, index) => listed.indexOf(id) < index).map((id) => `${id} has two rows`),
      ...rows.flatMap((row) => rowProblems(table, row)),
    ],
    note: `${count(/^done$/)} done, ${count(/^partial/)} partial, ${count(/^not yet$/)} not yet`,
  };
}

function rowsOf(text: string): readonly Row[] {
  return [...text.matchAll(/^\| ([A-Z]{2}\d+) \|(.*)\|$/gm)].map(([, id = '', rest = '']) => {
    const [, source = '', test = '', state = ''] = rest.split('|').map((cell) => cell.replaceAll('`', '').trim());
    return {
      id,
      source: source
        .split(/<br>|,/)
        .map(trim)
        .filter(isNotEmpty),
      proofs: test.split('<br>').map(trim).filter(isNotEmpty).map(proofOf),
      state,
    };
  });
}

function proofOf(entry: string): Proof {
  const [, file = entry, name = ''] = /^(\S+): (.*)$/.exec(entry) ?? [];
  return { file, name };
}

function rowProblems({ root, tests }: Table, { id, source, proofs, state }: Row): readonly string[] {
  if (!/^(done|not yet|partial: \S.*)$/.test(state)) {
    return [`${id}: the state "${state}" is none of done, partial: why, not yet`];
  }
  const problems = [...source, ...proofs.map(({ file }) => file)]
    .filter((file) => !existsSync(join(root, file)))
    .map((file) => `${id}: ${file} does not exist`);
  if (state !== 'done') return problems;
  if (source.length === 0) problems.push(`${id} is done and names no source`);
  for (const { file, name } of proofs) {
    if (!namesIn(root, file, tests).some((test) => test.includes(name)) && !isResult(file)) {
      problems.push(`${id}: no test of ${file} passed with "${name}" in its name`);
    }
  }
  if (!proofs.some(({ file }) => proves(root, id, file, tests))) {
    problems.push(
      `${id} is done, and no passed test of the files it names has ${id} in its name (run the tests first)`,
    );
  }
  return problems;
}

function proves(root: string, id: string, file: string, tests: readonly NamedTest[]): boolean {
  if (isResult(file)) {
    if (!existsSync(join(root, file))) return false;
    const { date = '', requirements = {} }: Result = readJson(join(root, file));
    return !Number.isNaN(Date.parse(date)) && requirements[id] === true;
  }
  const word = new RegExp(String.raw`\b${id}\b`);
  return namesIn(root, file, tests).some((name) => word.test(name));
}

function isResult(file: string): boolean {
  return resultFile.test(file);
}

function namesIn(root: string, file: string, tests: readonly NamedTest[]): readonly string[] {
  return tests.filter((test) => test.file === join(root, file)).map(({ name }) => name);
}

const trim = (text: string): string => text.trim();
const isNotEmpty = (text: string): boolean => text !== '';
