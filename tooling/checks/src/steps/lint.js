/** oxlint with types. A file may warn about its length from 300 lines on; at 400 that is an error. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../run-command.js';
import { trackedFiles } from '../workspace.js';

const hardLines = 400;

export async function check(root) {
  const { output, stdout } = await runCommand('oxlint', ['--format=json', '.'], { cwd: root });
  const report = parse(stdout);
  if (report === undefined) return { problems: [output.trim()] };
  const { problems, warnings } = judge(report.diagnostics);
  problems.push(...suppressions(root, trackedFiles(root, 'packages/*/src/**/*.ts')));
  return { problems, note: warnings === 0 ? '' : `${warnings} warnings: pnpm exec oxlint` };
}

/** Errors, and length warnings beyond the hard bound, as `file:line rule message`; the other warnings are counted. */
export function judge(diagnostics) {
  const isProblem = ({ severity, code, message }) =>
    severity === 'error' || (code === 'eslint(max-lines)' && Number(/\((\d+)\)/.exec(message)?.[1]) > hardLines);
  const problems = diagnostics.filter(isProblem).map(({ filename, labels, code, message, help }) => {
    const at = labels[0] === undefined ? filename : `${filename}:${labels[0].span.line}`;
    return `${at} ${code} ${message}${help === undefined ? '' : ` (${help})`}`;
  });
  return { problems, warnings: diagnostics.length - problems.length };
}

/** No rule is switched off inside a library's source. */
export function suppressions(root, files) {
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

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
