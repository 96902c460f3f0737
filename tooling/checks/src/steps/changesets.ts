/**
 * A change under packages/X/src comes with a changeset that names X.
 *
 * The range begins where the branch left the remote's default branch, or at `SAGE_CHANGESET_BASE`; without either only the form of the files is checked.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';
import type { Verdict } from '../verdict.ts';
import { libraries, type Library, trackedFiles } from '../workspace.ts';

export interface Changeset {
  /** The packages it names. */
  readonly releases: readonly string[];
  /** What is wrong with its form. */
  readonly problems: readonly string[];
}

export async function check(root: string): Promise<Verdict> {
  const all = libraries(root);
  const names = all.map(({ name }) => name);
  const files = trackedFiles(root, '.changeset/*.md').filter((file) => !file.endsWith('/README.md'));
  const changesets = files.map((file) => readChangeset(file, readFileSync(join(root, file), 'utf8'), names));
  const range = await changedFiles(root);
  const releases = changesets.flatMap((changeset) => changeset.releases);
  return {
    problems: [...changesets.flatMap(({ problems }) => problems), ...missing(range?.files ?? [], all, releases)],
    note: `${files.length} files, ${range === undefined ? 'no base to compare with' : `since ${range.base.slice(0, 9)}`}`,
  };
}

export function readChangeset(file: string, text: string, names: readonly string[]): Changeset {
  const [, front, summary = ''] = /^---\n([\s\S]*?)\n?---\n([\s\S]*)$/.exec(text) ?? [];
  if (front === undefined) return { releases: [], problems: [`${file}: needs front matter between two lines of ---`] };
  const releases: string[] = [];
  const problems: string[] = [];
  for (const line of front.split('\n').filter((entry) => entry.trim() !== '')) {
    const name = /^['"]?([^'":]+)['"]?:\s*(?:patch|minor|major)$/.exec(line)?.[1];
    if (name !== undefined && names.includes(name)) releases.push(name);
    else problems.push(`${file}: "${line}" is not a package of ours with patch, minor or major`);
  }
  if (summary.trim() === '') problems.push(`${file}: say what changes for the user`);
  return { releases, problems };
}

/** Libraries whose source changed without a changeset that names them; a new CHANGELOG entry is a release and counts as one. */
export function missing(
  changed: readonly string[],
  all: readonly Pick<Library, 'name' | 'folder'>[],
  releases: readonly string[],
): readonly string[] {
  return all
    .filter(({ folder }) => changed.some((file) => file.startsWith(`${folder}/src/`)))
    .filter(({ name, folder }) => !releases.includes(name) && !changed.includes(`${folder}/CHANGELOG.md`))
    .map(({ name }) => `${name} changed and no changeset names it: pnpm exec changeset`);
}

async function changedFiles(root: string): Promise<{ base: string; files: readonly string[] } | undefined> {
  const git = async (...args: readonly string[]): Promise<string | undefined> => {
    const { code, stdout } = await runCommand('git', args, { folder: root });
    return code === 0 ? stdout.trim() : undefined;
  };
  const base =
    process.env['SAGE_CHANGESET_BASE'] ??
    (await git('merge-base', 'HEAD', 'origin/HEAD')) ??
    (await git('merge-base', 'HEAD', 'origin/main'));
  if (base === undefined || base === '' || base === (await git('rev-parse', 'HEAD'))) return undefined;
  const files = await git('diff', '--name-only', `${base}...HEAD`);
  if (files === undefined) throw new Error(`git does not know the base ${base}`);
  return { base, files: files.split('\n') };
}
