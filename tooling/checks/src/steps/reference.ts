/** The files of docs/reference and docs/deployment/monitoring say what the packages say. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { referencePages } from '../reference-pages.ts';
import type { Verdict } from '../verdict.ts';

export async function check(root: string): Promise<Verdict> {
  const pages = await referencePages(root);
  const problems = Array.from(pages, ([file, text]) => {
    const path = join(root, file);
    return compare(file, existsSync(path) ? readFileSync(path, 'utf8') : '', text);
  }).flat();
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
