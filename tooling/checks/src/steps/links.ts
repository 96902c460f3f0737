/** Every relative link in tracked Markdown leads to a file that exists, and to a heading of it where it names one. Works offline. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { anchors, links } from '../markdown.js';
import type { Verdict } from '../verdict.ts';
import { trackedFiles } from '../workspace.ts';

export async function check(root: string): Promise<Verdict> {
  const files = trackedFiles(root, '*.md');
  return { problems: files.flatMap((file) => linkProblems(root, file)), note: `${files.length} files` };
}

export function linkProblems(root: string, file: string): readonly string[] {
  return links(readFileSync(join(root, file), 'utf8'))
    .filter(({ target }) => !/^[a-z][a-z+.-]*:|^\/\//i.test(target))
    .flatMap(({ target, line }) => {
      const problem = targetProblem(root, file, target);
      return problem === undefined ? [] : [`${file}:${line} ${target}: ${problem}`];
    });
}

function targetProblem(root: string, file: string, target: string): string | undefined {
  const [path = '', anchor] = target.split('#', 2).map(decodeURIComponent);
  const wanted = path === '' ? join(root, file) : resolve(root, dirname(file), path);
  if (path.startsWith('/') || relative(root, wanted).startsWith('..')) return 'leads out of the repository';
  if (!existsSync(wanted)) return 'no such file';
  if (anchor === undefined || !wanted.endsWith('.md')) return undefined;
  return anchors(readFileSync(wanted, 'utf8')).has(anchor) ? undefined : 'no such heading';
}
