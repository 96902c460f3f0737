/** oxlint with types. A file may warn about its length from 300 lines on; above 400 that is an error. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';
import type { Verdict } from '../verdict.ts';
import { trackedFiles } from '../workspace.ts';

export interface Diagnostic {
  readonly filename: string;
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly help?: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

const mostLines = 400;

export async function check(root: string): Promise<Verdict> {
  const { output, stdout } = await runCommand('oxlint', ['--format=json', '.'], { folder: root });
  const diagnostics = parse(stdout);
  if (diagnostics === undefined) return { problems: [output.trim()] };
  const { problems, warnings } = judge(diagnostics);
  return {
    problems: [...problems, ...suppressions(root, trackedFiles(root, 'packages/*/src/**/*.ts'))],
    note: warnings === 0 ? '' : `${warnings} warnings: pnpm exec oxlint`,
  };
}

/** Errors, and length warnings beyond the hard bound, as `file:line rule message`; the other warnings are counted. */
export function judge(diagnostics: readonly Diagnostic[]): { problems: readonly string[]; warnings: number } {
  const problems = diagnostics
    .filter((diagnostic) => diagnostic.severity === 'error' || isMuchTooLong(diagnostic))
    .map(({ filename, labels, code, message, help }) => {
      const at = labels[0] === undefined ? filename : `${filename}:${labels[0].span.line}`;
      return `${at} ${code} ${message}${help === undefined ? '' : ` (${help})`}`;
    });
  return { problems, warnings: diagnostics.length - problems.length };
}

/** No rule is switched off inside a library's source. */
export function suppressions(root: string, files: readonly string[]): readonly string[] {
  return files.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        /(?:oxlint|eslint)-disable|@ts-nocheck/.test(line)
          ? [`${file}:${index + 1} switches a rule off; mend the code instead`]
          : [],
      ),
  );
}

function isMuchTooLong({ code, message }: Diagnostic): boolean {
  return code === 'eslint(max-lines)' && Number(/\((\d+)\)/.exec(message)?.[1]) > mostLines;
}

function parse(text: string): readonly Diagnostic[] | undefined {
  try {
    const report: { readonly diagnostics: readonly Diagnostic[] } = JSON.parse(text);
    return report.diagnostics;
  } catch {
    return undefined;
  }
}
