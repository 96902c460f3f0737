/** The README holds the two commands as `.ci/run` runs them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readmeProblems } from '../readme-commands.js';
import type { Verdict } from '../verdict.ts';

export async function check(root: string): Promise<Verdict> {
  return { problems: readmeProblems(readFileSync(join(root, 'README.md'), 'utf8')) };
}
