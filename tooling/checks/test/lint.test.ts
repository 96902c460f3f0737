import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runCommand } from '../src/run-command.ts';
import { judge, suppressions } from '../src/steps/lint.ts';
import { workspaceRoot } from '../src/workspace.ts';
import { folderWith } from './support/workspace.ts';

/** The codes oxlint reports for the files, under the repository's own configuration. */
async function codesFor(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const root = folderWith(files);
  cpSync(join(workspaceRoot, '.oxlintrc.json'), join(root, '.oxlintrc.json'));
  const { stdout } = await runCommand('oxlint', ['--format=json', '.'], {
    folder: root,
    env: { PATH: `${join(workspaceRoot, 'node_modules', '.bin')}:${process.env['PATH']}` },
  });
  const report: { diagnostics: { code: string; filename: string }[] } = JSON.parse(stdout);
  return report.diagnostics.map(({ code, filename }) => `${filename} ${code}`);
}

const using = (specifier: string): string => `import { a } from '${specifier}';\nexport const b = a;\n`;

describe('the lint rules on imports', () => {
  test('core imports node: modules and its own files only', async () => {
    const codes = await codesFor({
      'packages/core/src/good.ts': using('node:fs'),
      'packages/core/src/own.ts': using('./good.ts'),
      'packages/core/src/bad.ts': using('redis'),
      'packages/core/src/worse.ts': using('@sage-adk/metrics'),
    });
    expect(codes.toSorted((a, b) => a.localeCompare(b))).toEqual([
      'packages/core/src/bad.ts eslint(no-restricted-imports)',
      'packages/core/src/worse.ts eslint(no-restricted-imports)',
    ]);
  });

  test('a feature package imports core and no other package of ours, and only what is exported', async () => {
    const codes = await codesFor({
      'packages/health/src/good.ts': using('@sage-adk/core/queue'),
      'packages/health/src/feature.ts': using('@sage-adk/metrics/config'),
      'packages/health/src/app.ts': using('@sage-adk/reference-agent'),
      'packages/health/src/deep.ts': using('@sage-adk/core/dist/index.js'),
      'packages/health/src/across.ts': using('../../core/src/index.ts'),
      'apps/examples/src/deep.ts': using('@sage-adk/core/dist/index.js'),
      'apps/examples/src/good.ts': using('@sage-adk/metrics'),
    });
    expect(codes.map((code) => code.replace(/ .*/, '')).toSorted()).toEqual([
      'apps/examples/src/deep.ts',
      'packages/health/src/across.ts',
      'packages/health/src/app.ts',
      'packages/health/src/deep.ts',
      'packages/health/src/feature.ts',
    ]);
  });
});

describe('the verdict on a lint report', () => {
  const lines = (count: number) => ({
    filename: 'a.ts',
    labels: [{ span: { line: 1 } }],
    severity: 'warning',
    code: 'eslint(max-lines)',
    message: `File has too many lines (${count}).`,
  });

  test('a long file is a warning, a very long one a problem', () => {
    expect(judge([lines(301)])).toEqual({ problems: [], warnings: 1 });
    expect(judge([lines(401)])).toEqual({
      problems: ['a.ts:1 eslint(max-lines) File has too many lines (401).'],
      warnings: 0,
    });
  });

  test('an error is a problem', () => {
    expect(judge([{ ...lines(1), severity: 'error' }]).problems).toHaveLength(1);
  });
});

test('a rule switched off inside a library is found', () => {
  const root = folderWith({
    'a.ts': ['const a = 1;', ['// oxlint', 'disable-next-line'].join('-'), 'const b = 2;'].join('\n'),
    'b.ts': 'const c = 3;\n',
  });
  expect(suppressions(root, ['a.ts', 'b.ts'])).toEqual(['a.ts:2 switches a rule off; mend the code instead']);
});
