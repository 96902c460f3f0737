import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readmeProblems } from '../readme-commands.js';

/** The README holds the two commands as they are run by `.ci/run`. */
export async function check(root) {
  return { problems: readmeProblems(readFileSync(join(root, 'README.md'), 'utf8')) };
}
