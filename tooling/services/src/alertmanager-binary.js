// Debian's Alertmanager reads its templates from /usr/share, where nobody has installed them.
import { existsSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const installed = '/usr/share/prometheus/alertmanager';
/** Of the same length, and from the folder in which it runs. */
const relative = 'usr/share/prometheus/alertmanager/';
/** The two other folders that the binary names lie below this one. */
const notBelow = '/'.charCodeAt(0);

/**
 * A copy of the binary beside it that looks for its templates from the folder in which it runs: the one string in it is changed.
 * @param {string} path
 * @returns {string} Its path; the given one where the templates are installed.
 */
export function withRelativeTemplates(path) {
  if (existsSync(join(installed, 'default.tmpl'))) return path;
  const changed = `${path}-relative`;
  if (existsSync(changed)) return changed;
  const binary = readFileSync(path);
  let found = 0;
  for (let at = binary.indexOf(installed); at !== -1; at = binary.indexOf(installed, at + 1)) {
    if (binary[at + installed.length] === notBelow) continue;
    binary.write(relative, at, 'latin1');
    found += 1;
  }
  if (found !== 1) throw new Error(`${path} names ${installed} ${found} times, where 1 was expected`);
  // Another run may read it meanwhile.
  const whole = `${changed}-${process.pid}`;
  writeFileSync(whole, binary, { mode: statSync(path).mode });
  renameSync(whole, changed);
  return changed;
}

/**
 * Puts the templates where such a copy looks for them.
 * @param {string} path That of the copy, in its `usr/bin`.
 * @param {string} folder The one in which it is going to run.
 */
export function linkTemplates(path, folder) {
  symlinkSync(dirname(dirname(path)), join(folder, 'usr'));
}
