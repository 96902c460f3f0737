// Debian packages unpacked into a private folder, so that a test can run a server nobody has to install.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheFolder } from './folders.js';
import { atExit } from './at-exit.js';
import { onPath, run } from './commands.js';
import { messageOf } from './sources.js';

/** @typedef {import('./index.d.ts').UnpackedPackages} UnpackedPackages */

/** What the archive's index may hold besides the packages; none of it is needed. */
const leaveOut = [
  '-o',
  'Acquire::Languages=none',
  ...['DEP-11', 'CNF'].flatMap((index) => ['-o', `Acquire::IndexTargets::deb::${index}::DefaultEnabled=false`]),
];
/** Node's names of processors in the names of Debian's library folders. */
const triplets = new Map([
  ['x64', 'x86_64'],
  ['arm64', 'aarch64'],
]);
const downloadMs = 300_000;
const noticeMs = 3_000;

/** @type {Map<string, Promise<UnpackedPackages>>} */
const underWay = new Map();

/** @type {typeof import('./index.d.ts').unpackDebianPackages} */
export function unpackDebianPackages(names, { works = async () => true } = {}) {
  const key = names.toSorted().join('+');
  const known = underWay.get(key) ?? findOrUnpack(names, key, works);
  underWay.set(key, known);
  known.catch(() => underWay.delete(key));
  return known;
}

/** @type {(names: readonly string[], key: string, works: (unpacked: UnpackedPackages) => Promise<boolean>) => Promise<UnpackedPackages>} */
async function findOrUnpack(names, key, works) {
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if (!onPath(tool)) throw new Error(`Debian packages: this system has no ${tool}`);
  }
  const shelf = join(cacheFolder(), systemName());
  const unpacked = { root: join(shelf, key), env: environmentFor(join(shelf, key)) };
  const isThere = existsSync(unpacked.root);
  if (isThere && (await works(unpacked).catch(() => false))) return unpacked;

  mkdirSync(shelf, { recursive: true });
  const work = mkdtempSync(join(shelf, '.unpacking-'));
  const removeWork = () => rmSync(work, { recursive: true, force: true });
  const forget = atExit(removeWork);
  try {
    if (isThere) renameSync(unpacked.root, join(work, 'broken'));
    await unpackInto(names, work);
    putInPlace(join(work, 'root'), unpacked.root);
  } catch (error) {
    throw new Error(`Debian packages ${names.join(', ')}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    forget();
    removeWork();
  }
  return unpacked;
}

/** @type {(names: readonly string[], work: string) => Promise<void>} */
async function unpackInto(names, work) {
  const notice = setTimeout(
    () =>
      process.stderr.write(
        `Fetching Debian packages for ${names.join(', ')} (once; they are kept in ${cacheFolder()})\n`,
      ),
    noticeMs,
  );
  try {
    const debs = await download(names, work);
    const root = join(work, 'root');
    mkdirSync(root);
    for (const deb of debs) await run('dpkg-deb', ['--extract', deb, root]);
  } finally {
    clearTimeout(notice);
  }
}

/**
 * Lets apt decide which dependencies this machine lacks. The system's package lists serve if they are there and not too old
 * for the archive; otherwise fresh ones are fetched for this once.
 * @type {(names: readonly string[], work: string) => Promise<string[]>}
 */
async function download(names, work) {
  const archives = join(work, 'cache', 'archives');
  const lists = join(work, 'lists');
  mkdirSync(join(archives, 'partial'), { recursive: true });
  mkdirSync(join(lists, 'partial'), { recursive: true });
  // Nothing of the system is locked or written, so neither root nor apt's own user is needed.
  const common = [
    '-y',
    '-q',
    '-o',
    'Debug::NoLocking=1',
    '-o',
    'APT::Sandbox::User=',
    '-o',
    'Acquire::Retries=1',
    '-o',
    'Acquire::http::Timeout=15',
    '-o',
    'Acquire::https::Timeout=15',
  ];
  const install = ['install', '--download-only', '--reinstall', '--no-install-recommends', '--', ...names];
  const fetched = () =>
    readdirSync(archives)
      .filter((name) => name.endsWith('.deb'))
      .map((name) => join(archives, name));
  const fetchWith = async (/** @type {string[]} */ options) => {
    await run('apt-get', [...common, ...options, ...install], { timeoutMs: downloadMs, env: plainEnvironment() });
    if (fetched().length === 0) throw new Error('apt-get found nothing to download');
    return fetched();
  };

  try {
    return await fetchWith(['-o', `Dir::Cache::archives=${archives}`]);
  } catch {
    const own = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${join(work, 'cache')}`];
    await run('apt-get', [...common, ...own, ...leaveOut, 'update'], {
      timeoutMs: downloadMs,
      env: plainEnvironment(),
    });
    return fetchWith(own);
  }
}

/** @type {(from: string, to: string) => void} */
function putInPlace(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    // Another run was quicker; what it unpacked is the same.
    if (!existsSync(to)) throw error;
  }
}

/** What an unpacked package is good for depends on the release and the processor: "debian-12-x64". */
function systemName() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const valueOf = (/** @type {string} */ key) => new RegExp(`^${key}="?([^"\\n]*)`, 'm').exec(release)?.[1] ?? '';
  return [valueOf('ID'), valueOf('VERSION_ID'), process.arch].filter((part) => part !== '').join('-');
}

/** @type {(root: string) => Record<string, string>} */
function environmentFor(root) {
  const triplet = `${triplets.get(process.arch) ?? process.arch}-linux-gnu`;
  const under = (/** @type {string[]} */ ...folders) => folders.map((folder) => join(root, folder));
  const env = plainEnvironment();
  const led = (/** @type {string} */ name, /** @type {string[]} */ folders) =>
    [...folders, env[name]].filter(Boolean).join(delimiter);
  return {
    ...env,
    PATH: led('PATH', under('usr/bin', 'usr/sbin', 'bin', 'sbin')),
    LD_LIBRARY_PATH: led('LD_LIBRARY_PATH', under(`usr/lib/${triplet}`, `lib/${triplet}`, 'usr/lib', 'lib')),
  };
}

/**
 * Ours, in a language whose messages can be passed on, and asking nothing.
 * @returns {Record<string, string>}
 */
function plainEnvironment() {
  const set = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [/** @type {const} */ ([name, value])],
  );
  return { ...Object.fromEntries(set), LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
}
