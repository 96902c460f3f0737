/** The pages of docs/reference say what the packages say. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { referencePages } from '../reference-pages.ts';
import type { Verdict } from '../verdict.ts';

export async function check(root: string): Promise<Verdict> {
  const problems: string[] = [];
  for (const { file, make } of referencePages) {
    const path = join(root, file);
    problems.push(...compare(file, existsSync(path) ? readFileSync(path, 'utf8') : '', await make(root)));
  }
  return { problems };
}

/** Names the first line that differs. */
export function compare(file: string, found: string, wanted: string): readonly string[] {
  if (found === wanted) return [];
  const [have, want] = [found.split('\n'), wanted.split('\n')];
  const at = want.findIndex((line, index) => line !== have[index]);
  const line = at === -1 ? want.length : at;
  return [
    `${file}:${line + 1} is not what the packages say (${JSON.stringify(want[line] ?? '').slice(0, 120)}); run "pnpm reference"`,
  ];
}
