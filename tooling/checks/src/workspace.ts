/** Where things are in this repository, so that each check names a folder once. Every function takes the root, so a test can bring its own. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The part of a package.json the checks read. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly type?: string;
  readonly sideEffects?: boolean;
  readonly files?: readonly string[];
  readonly engines?: Readonly<Record<string, string>>;
  readonly publishConfig?: Readonly<Record<string, unknown>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  /** Of a private workspace: libraries of which it tests another version than the rest. */
  readonly otherVersionsOf?: readonly string[];
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** A published package. */
export interface Library {
  readonly name: string;
  /** The name of its folder under packages/. */
  readonly short: string;
  /** Relative to the root. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The folder that holds packages/, apps/ and tooling/. */
export const workspaceRoot: string = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');

/** Where jest leaves one JSON report per package; `SAGE_TEST_RESULTS` moves it. */
export function testResultsFolder(root: string): string {
  return process.env['SAGE_TEST_RESULTS'] ?? join(root, '.cache', 'test-results');
}

/** The parsed file; the caller says what it holds. */
export const readJson = (file: string | URL): ReturnType<typeof JSON.parse> => JSON.parse(readFileSync(file, 'utf8'));

export function libraries(root: string): readonly Library[] {
  return readdirSync(join(root, 'packages'))
    .filter((short) => existsSync(join(root, 'packages', short, 'package.json')))
    .map((short) => {
      const manifest: Manifest = readJson(join(root, 'packages', short, 'package.json'));
      return { name: manifest.name ?? short, short, folder: `packages/${short}`, manifest };
    });
}

/** The file the root entry of a library is built to, relative to its folder. */
export function rootEntry({ exports = {} }: Manifest): string {
  const target = exports['.'];
  return (typeof target === 'string' ? target : target?.['default']) ?? './dist/index.js';
}

/** Peers a user may leave out: drivers and frameworks. */
export function optionalPeers({ peerDependenciesMeta = {} }: Manifest): readonly string[] {
  return Object.keys(peerDependenciesMeta).filter((name) => peerDependenciesMeta[name]?.optional === true);
}

/** What comes along when the package is installed: its dependencies, and the peers it can't do without. */
export function installedWith(manifest: Manifest): ReadonlySet<string> {
  const optional = optionalPeers(manifest);
  const peers = Object.keys(manifest.peerDependencies ?? {}).filter((name) => !optional.includes(name));
  return new Set([...Object.keys(manifest.dependencies ?? {}), ...peers]);
}

/** Files git tracks or would track (ignored ones left out) and that still exist, relative to the root. */
export function trackedFiles(root: string, ...patterns: readonly string[]): readonly string[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...patterns],
    { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  return [...new Set(listed.split('\0'))].filter((file) => file !== '' && existsSync(join(root, file)));
}
