/** Nothing in the repository depends on this machine: no address in the lockfile, no folder of a developer in a tracked file. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Verdict } from '../verdict.ts';
import { trackedFiles } from '../workspace.ts';

export async function check(root: string): Promise<Verdict> {
  // A folder of one segment (/app, /root) is as likely a folder of a container image as of this machine.
  const folders = [root, homedir()].filter((folder) => folder.split('/').length > 2);
  const files = trackedFiles(root).filter((file) => file !== 'pnpm-lock.yaml');
  return {
    problems: [
      ...addresses(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')),
      ...files.flatMap((file) => machinePaths(file, readFileSync(join(root, file), 'utf8'), folders)),
    ],
  };
}

/** A lockfile of a workspace names versions and hashes; an address in it ties installs to a host. */
export function addresses(lockfile: string): readonly string[] {
  return matches('pnpm-lock.yaml', lockfile, 'names an address', (line) => /https?:\/\/|git\+|\btarball:/.test(line));
}

/** Lines that hold one of the folders, or a home folder of a person. */
export function machinePaths(file: string, text: string, folders: readonly string[]): readonly string[] {
  return matches(file, text, 'holds a path of one machine', (line) => {
    const isHome = /(?<![\w.])\/Users\/\w|[A-Z]:\\Users\\/.test(line);
    return isHome || folders.some((folder) => line.includes(`${folder}/`));
  });
}

function matches(file: string, text: string, what: string, test: (line: string) => boolean): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, index) => (test(line) ? [`${file}:${index + 1} ${what}: ${line.trim().slice(0, 120)}`] : []));
}
