/** The package.json of every workspace follows the same shape, so that each library can be installed, versioned and published alone. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Verdict } from '../verdict.ts';
import { libraries, type Manifest, readJson, trackedFiles } from '../workspace.ts';

export interface Workspace {
  /** Relative to the root. */
  readonly folder: string;
  readonly manifest: Manifest;
}

interface Dependency {
  readonly name: string;
  readonly range: string;
}

const requiredFiles = ['dist', 'src', 'README.md', 'LICENSE'];

export async function check(root: string): Promise<Verdict> {
  const workspaces: readonly Workspace[] = trackedFiles(root, 'package.json', '*/package.json')
    .filter((file) => !file.includes('/fixtures/'))
    .map((file) => ({ folder: dirname(file), manifest: readJson(join(root, file)) }));
  return {
    problems: [
      ...libraries(root).flatMap(({ folder, manifest }) => libraryProblems(root, folder, manifest)),
      ...workspaces.flatMap(workspaceDependencyProblems),
      ...versionProblems(workspaces),
    ],
  };
}

/** What a published package must have. */
export function libraryProblems(root: string, folder: string, manifest: Manifest): readonly string[] {
  const wanted: readonly (readonly [fulfilled: boolean, otherwise: string])[] = [
    [manifest.private !== true, 'must not be private'],
    [manifest.license === 'Apache-2.0', 'needs "license": "Apache-2.0"'],
    [manifest.type === 'module', 'needs "type": "module"'],
    [manifest.sideEffects === false, 'needs "sideEffects": false'],
    [manifest.engines?.['node'] === '>=22.12', 'needs "engines": { "node": ">=22.12" }'],
    [manifest.publishConfig?.['access'] === 'public', 'needs "publishConfig": { "access": "public" }'],
    [requiredFiles.every((file) => manifest.files?.includes(file)), `"files" needs ${requiredFiles.join(', ')}`],
    ...['README.md', 'LICENSE', 'turbo.json'].map(
      (file) => [existsSync(join(root, folder, file)), `has no ${file}`] as const,
    ),
    ...Object.entries(manifest.exports ?? {})
      .filter(([path]) => path !== './package.json')
      .map(
        ([path, target]) =>
          [Object.keys(target).join() === 'types,default', `exports "${path}" needs "types", then "default"`] as const,
      ),
    ...Object.keys(manifest.peerDependenciesMeta ?? {}).map(
      (name) =>
        [
          manifest.peerDependencies?.[name] !== undefined && manifest.devDependencies?.[name] !== undefined,
          `the optional peer ${name} must stand in peerDependencies and in devDependencies`,
        ] as const,
    ),
  ];
  return wanted.filter(([fulfilled]) => !fulfilled).map(([, otherwise]) => `${folder}: ${otherwise}`);
}

/** Our own packages are taken from the workspace; a library keeps to `workspace:^`, so that a patch of core needs no release of it. */
export function workspaceDependencyProblems({ folder, manifest }: Workspace): readonly string[] {
  return [...installed(manifest), ...peers(manifest)]
    .filter(({ name }) => /^@(sage-adk|tooling)\//.test(name))
    .filter(({ name, range }) => range !== (name.startsWith('@sage-adk/') ? 'workspace:^' : 'workspace:*'))
    .map(({ name, range }) => `${folder}: ${name} is "${range}"; take it from the workspace`);
}

/** The same library has one version in all workspaces but those that are there to test another; a peer range is a statement of its own and may be wider. */
export function versionProblems(workspaces: readonly Workspace[]): readonly string[] {
  const uses = workspaces.flatMap(({ folder, manifest }) =>
    installed(manifest)
      .filter(({ name, range }) => !range.startsWith('workspace:') && manifest.otherVersionsOf?.includes(name) !== true)
      .map((dependency) => ({ ...dependency, folder })),
  );
  return [...Map.groupBy(uses, ({ name }) => name)]
    .map(([name, all]) => ({ name, ranges: [...Map.groupBy(all, ({ range }) => range)] }))
    .filter(({ ranges }) => ranges.length > 1)
    .map(({ name, ranges }) => {
      const where = ranges.map(([range, at]) => `${range} in ${at.map(({ folder }) => folder).join(', ')}`);
      return `${name} has several versions: ${where.join('; ')}`;
    });
}

function installed({ dependencies, devDependencies, optionalDependencies }: Manifest): readonly Dependency[] {
  return [dependencies, devDependencies, optionalDependencies].flatMap(toList);
}

function peers({ peerDependencies }: Manifest): readonly Dependency[] {
  return toList(peerDependencies);
}

function toList(dependencies: Readonly<Record<string, string>> = {}): readonly Dependency[] {
  return Object.entries(dependencies).map(([name, range]) => ({ name, range }));
}
