import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { judge } from '../src/steps/requirements.ts';
import { folderWith } from './support/workspace.ts';

const files = {
  'src/live.ts': '',
  'test/live.test.ts': '',
  'docs/results/load.json': { date: '2026-03-01', requirements: { PF14: true, PF15: false } },
  'docs/results/undated.json': { requirements: { PF14: true } },
};

/** What the check says about rows, given the full names of the tests that passed in test/live.test.ts. */
function problemsOf(
  rows: readonly string[],
  passed: readonly string[] = [],
  ids: readonly string[] = idsOf(rows),
): readonly string[] {
  const root = folderWith(files);
  const text = `## A section\n\n| id | requirement | source | test | state |\n|---|---|---|---|---|\n${rows.join('\n')}\n`;
  return judge({ root, text, ids, tests: passed.map((name) => ({ file: join(root, 'test/live.test.ts'), name })) })
    .problems;
}

const idsOf = (rows: readonly string[]): readonly string[] => rows.map((row) => row.split('|')[1]?.trim() ?? '');
const live = '`test/live.test.ts`: OH1: live answers 200';
const row = (id: string, source: string, proof: string, state: string): string =>
  `| ${id} | x | ${source} | ${proof} | ${state} |`;

describe('a done row', () => {
  test('is proved by a passed test with its id in the name', () => {
    expect(
      problemsOf([row('OH1', '`src/live.ts`', live, 'done')], ['probes OH1: live answers 200 without a check']),
    ).toEqual([]);
  });

  test('is not proved when that test failed, or did not run', () => {
    const problems = problemsOf([row('OH1', 'src/live.ts', live, 'done')]);
    expect(problems).toEqual([
      'OH1: no test of test/live.test.ts passed with "OH1: live answers 200" in its name',
      'OH1 is done, and no passed test of the files it names has OH1 in its name (run the tests first)',
    ]);
  });

  test('is not proved by a test of a longer id', () => {
    const problems = problemsOf([row('OH1', 'src/live.ts', 'test/live.test.ts', 'done')], ['OH10: something else']);
    expect(problems).toHaveLength(1);
  });

  test('is not proved by a test that passed under another name than the row says', () => {
    const problems = problemsOf([row('OH1', 'src/live.ts', live, 'done')], ['OH1: another behaviour']);
    expect(problems).toEqual(['OH1: no test of test/live.test.ts passed with "OH1: live answers 200" in its name']);
  });

  test('may be proved by a dated result that holds its id', () => {
    expect(problemsOf([row('PF14', 'src/live.ts', 'docs/results/load.json', 'done')])).toEqual([]);
    expect(problemsOf([row('PF15', 'src/live.ts', 'docs/results/load.json', 'done')])).toHaveLength(1);
    expect(problemsOf([row('PF14', 'src/live.ts', 'docs/results/undated.json', 'done')])).toHaveLength(1);
  });

  test('names a source and a test', () => {
    const problems = problemsOf([row('OH1', '', '', 'done')]);
    expect(problems).toHaveLength(2);
    expect(problems).toContain('OH1 is done and names no source');
  });

  test('may name several files and several tests', () => {
    const rows = [
      row('OH1', 'src/live.ts, test/live.test.ts', `${live}<br>test/live.test.ts: and 503, while draining`, 'done'),
    ];
    expect(problemsOf(rows, ['OH1: live answers 200', 'and 503, while draining'])).toEqual([]);
  });
});

describe('the table', () => {
  test('has a row for every id, once, and no other', () => {
    const rows = [row('OH1', '', '', 'not yet'), row('OH1', '', '', 'not yet'), row('OH9', '', '', 'not yet')];
    expect(problemsOf(rows, [], ['OH1', 'OH2'])).toEqual([
      'OH2 has no row',
      'OH9 is not in the list of requirements',
      'OH1 has two rows',
    ]);
  });

  test('names files that exist, whatever the state', () => {
    expect(problemsOf([row('OH1', 'src/gone.ts', '', 'partial: no drain')])).toEqual([
      'OH1: src/gone.ts does not exist',
    ]);
  });

  test('knows three states, and partial says why', () => {
    expect(problemsOf([row('OH1', '', '', 'partial: no drain'), row('OH2', '', '', 'not yet')])).toEqual([]);
    expect(problemsOf([row('OH1', '', '', 'partial')])).toHaveLength(1);
    expect(problemsOf([row('OH1', '', '', 'soon')])).toHaveLength(1);
  });
});
