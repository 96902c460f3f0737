/** Nothing in the repository depends on this machine: no address in the lockfile, no folder of a developer in a tracked file. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { trackedFiles } from '../workspace.js';

export async function check(root) {
  const problems = addresses(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8'));
  // A folder of one segment (/app, /root) is as likely a folder of a container image as of this machine.
  const folders = [root, homedir()].filter((folder) => folder.split('/').length > 2);
  for (const file of trackedFiles(root).filter((name) => name !== 'pnpm-lock.yaml')) {
    problems.push(...machinePaths(file, readFileSync(join(root, file), 'utf8'), folders));
  }
  return { problems };
}

/** A lockfile of a workspace names versions and hashes; an address in it ties installs to a host. */
export function addresses(lockfile) {
  return matches('pnpm-lock.yaml', lockfile, /https?:\/\/|git\+|\btarball:/, 'names an address');
}

/** Lines that hold one of the folders, or a home folder of a person. */
export function machinePaths(file, text, folders) {
  const literal = folders.map((folder) => `${escape(folder)}/`);
  const pattern = new RegExp([...literal, String.raw`(?<![\w.])/Users/\w`, String.raw`[A-Z]:\\Users\\`].join('|'));
  return matches(file, text, pattern, 'holds a path of one machine');
}

function matches(file, text, pattern, what) {
  return text
    .split('\n')
    .flatMap((line, index) =>
      pattern.test(line) ? [`${file}:${index + 1} ${what}: ${line.trim().slice(0, 120)}`] : [],
    );
}

const escape = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
