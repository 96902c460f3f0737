// Temporary folders that are removed with their server, and the cache that stays.
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { atExit } from './at-exit.js';

/**
 * @typedef {object} Owner The user a process runs as and its files belong to.
 * @property {number} uid
 * @property {number} gid
 */

/**
 * A folder for one server, removed when this process exits at the latest.
 * @param {string} name
 * @returns {{ path: string, remove: () => void }}
 */
export function temporaryFolder(name) {
  const path = mkdtempSync(join(temporaryPlace(), `sage-${name}-`));
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  const forget = atExit(() => {
    try {
      remove();
    } catch {
      // A process that was killed just now may still hold it; it is in the temporary folder.
    }
  });
  return {
    path,
    remove: () => {
      forget();
      remove();
    },
  };
}

/**
 * Where downloads are kept between runs: `$XDG_CACHE_HOME/sage-adk`. Without a home to write to, a folder of this run.
 * @returns {string}
 */
export function cacheFolder() {
  const path = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sage-adk');
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
    return path;
  } catch {
    homeless ??= temporaryFolder('cache').path;
    return homeless;
  }
}

/**
 * The user a server that refuses root runs as; undefined when we are not root.
 * @returns {Owner | undefined}
 */
export function unprivilegedUser() {
  if (process.getuid?.() !== 0) return undefined;
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'nobody');
  if (!entry) throw new Error('it refuses to run as root and /etc/passwd has no user "nobody" to run it as');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/**
 * Whether every user may enter a folder and read in it.
 * @param {string} path
 * @returns {boolean}
 */
export function isOpenToAll(path) {
  const readAndEnter = 0o005;
  const enter = 0o001;
  if ((statSync(path).mode & readAndEnter) !== readAndEnter) return false;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & enter) !== enter) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** @type {string | undefined} */
let homeless;

/** A server that root starts as another user must reach its folder. */
function temporaryPlace() {
  return process.getuid?.() === 0 && !isOpenToAll(tmpdir()) ? '/tmp' : tmpdir();
}
