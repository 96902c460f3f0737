// A program from the PATH or from Debian's packages, whichever is there.
import { join } from 'node:path';
import { onPath, run } from './commands.js';
import { unpackDebianPackages } from './debian-packages.js';
import { firstThatWorks } from './sources.js';

/**
 * @typedef {object} DebianProgram
 * @property {string} name
 * @property {string} package
 * @property {RegExp} version Finds it in what `--version` says.
 * @property {(path: string) => string} [fit] Makes the unpacked program fit to run outside of its place; returns the path to run.
 *
 * @typedef {import('./index.d.ts').Program} Program
 */

/**
 * What the first source gives that works.
 * @template T
 * @param {DebianProgram} wanted
 * @param {(program: Program) => Promise<T>} use
 * @returns {Promise<T | import('./index.d.ts').Skipped>}
 */
export function withProgram({ name, package: packageName, version, fit = (path) => path }, use) {
  const versionOf = async (/** @type {string} */ path, /** @type {Program['env']} */ env) =>
    version.exec(await run(path, ['--version'], { env }))?.[1] ?? '';
  return firstThatWorks({
    path: async () => {
      const path = onPath(name);
      if (!path) throw new Error(`no ${name} on the PATH`);
      return use({ path, env: process.env, version: await versionOf(path, process.env), from: path });
    },
    debian: async () => {
      const pathIn = (/** @type {string} */ root) => join(root, 'usr', 'bin', name);
      const { root, env } = await unpackDebianPackages([packageName], {
        works: async (cached) => (await versionOf(pathIn(cached.root), cached.env)) !== '',
      });
      const path = fit(pathIn(root));
      return use({ path, env, version: await versionOf(path, env), from: 'Debian packages' });
    },
  });
}
