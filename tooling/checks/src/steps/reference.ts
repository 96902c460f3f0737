/** The pages of docs/reference say what the packages say. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorReference, errorReferenceFile } from '../error-reference.ts';
import type { Verdict } from '../verdict.ts';

export async function check(root: string): Promise<Verdict> {
  const file = join(root, errorReferenceFile);
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return { problems: compare(errorReferenceFile, text, await errorReference(root)) };
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
