/**
 * A change under packages/X/src comes with a changeset that names X.
 *
 * The range begins where the branch left the remote's default branch, or at `SAGE_CHANGESET_BASE`; without either only the form of the files is checked.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../run-command.js';
import { libraries, trackedFiles } from '../workspace.js';

export async function check(root) {
  const names = libraries(root).map(({ name }) => name);
  const files = trackedFiles(root, '.changeset/*.md').filter((file) => !file.endsWith('/README.md'));
  const changesets = files.map((file) => readChangeset(file, readFileSync(join(root, file), 'utf8'), names));
  const problems = changesets.flatMap((changeset) => changeset.problems);
  const range = await changedFiles(root);
  if (range !== undefined) {
    problems.push(
      ...missing(
        range.files,
        libraries(root),
        changesets.flatMap(({ releases }) => releases),
      ),
    );
  }
  return {
    problems,
    note: range === undefined ? `${files.length} files, no base to compare with` : `since ${range.base.slice(0, 9)}`,
  };
}

/** The packages a changeset names, and what is wrong with its form. */
export function readChangeset(file, text, names) {
  const [, front, summary] = /^---\n([\s\S]*?)\n?---\n([\s\S]*)$/.exec(text) ?? [];
  if (front === undefined) return { releases: [], problems: [`${file}: needs front matter between two lines of ---`] };
  const lines = front.split('\n').filter((line) => line.trim() !== '');
  const parsed = lines.map((line) => ({ line, match: /^['"]?([^'":]+)['"]?:\s*(patch|minor|major)$/.exec(line) }));
  const problems = parsed
    .filter(({ match }) => match === null || !names.includes(match[1]))
    .map(({ line }) => `${file}: "${line}" is not a package of ours with patch, minor or major`);
  if (summary.trim() === '') problems.push(`${file}: say what changes for the user`);
  return { releases: parsed.flatMap(({ match }) => (match === null ? [] : [match[1]])), problems };
}

/** Libraries whose source changed without a changeset that names them; a new CHANGELOG entry is a release and counts as one. */
export function missing(changed, all, releases) {
  return all
    .filter(({ folder }) => changed.some((file) => file.startsWith(`${folder}/src/`)))
    .filter(({ name, folder }) => !releases.includes(name) && !changed.includes(`${folder}/CHANGELOG.md`))
    .map(({ name }) => `${name} changed and no changeset names it: pnpm exec changeset`);
}

async function changedFiles(root) {
  const git = async (...args) => {
    const { code, stdout } = await runCommand('git', args, { cwd: root });
    return code === 0 ? stdout.trim() : undefined;
  };
  const head = await git('rev-parse', 'HEAD');
  const base =
    process.env.SAGE_CHANGESET_BASE ??
    (await git('merge-base', 'HEAD', 'origin/HEAD')) ??
    (await git('merge-base', 'HEAD', 'origin/main'));
  if (base === undefined || base === '' || base === head) return undefined;
  const files = await git('diff', '--name-only', `${base}...HEAD`);
  return files === undefined ? undefined : { base, files: files.split('\n') };
}
