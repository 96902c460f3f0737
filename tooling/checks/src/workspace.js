/** Where things are in this repository, so that each check names a folder once. Every function takes the root, so a test can bring its own. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds packages/, apps/ and tooling/. */
export const workspaceRoot = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');

/** Where jest leaves one JSON report per package; `SAGE_TEST_RESULTS` moves it. */
export const testResultsFolder = (root) => process.env.SAGE_TEST_RESULTS ?? join(root, '.cache', 'test-results');

export const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** The published packages: `{ name, short, folder, manifest }`, `folder` relative to the root. */
export function libraries(root) {
  return readdirSync(join(root, 'packages'))
    .filter((short) => existsSync(join(root, 'packages', short, 'package.json')))
    .map((short) => {
      const manifest = readJson(join(root, 'packages', short, 'package.json'));
      return { name: manifest.name, short, folder: `packages/${short}`, manifest };
    });
}

/** Files git tracks or would track (ignored ones left out) and that still exist, relative to the root. */
export function trackedFiles(root, ...patterns) {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...patterns],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return [...new Set(listed.split('\0'))].filter((file) => file !== '' && existsSync(join(root, file)));
}
