/** The package.json of every workspace follows the same shape, so that each library can be installed, versioned and published alone. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { libraries, readJson, trackedFiles } from '../workspace.js';

const kinds = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];

export async function check(root) {
  const manifests = trackedFiles(root, 'package.json', '*/package.json')
    .filter((file) => !file.includes('/fixtures/'))
    .map((file) => ({ folder: dirname(file), manifest: readJson(join(root, file)) }));
  return {
    problems: [
      ...libraries(root).flatMap(({ folder, manifest }) => libraryProblems(root, folder, manifest)),
      ...manifests.flatMap(({ folder, manifest }) => dependencyProblems(folder, manifest)),
      ...versionProblems(manifests),
    ],
  };
}

/** What a published package must have. */
export function libraryProblems(root, folder, manifest) {
  const {
    exports = {},
    files = [],
    engines = {},
    publishConfig = {},
    peerDependenciesMeta = {},
    devDependencies = {},
  } = manifest;
  const wanted = [
    [manifest.private !== true, 'must not be private'],
    [manifest.license === 'Apache-2.0', 'needs "license": "Apache-2.0"'],
    [manifest.type === 'module', 'needs "type": "module"'],
    [manifest.sideEffects === false, 'needs "sideEffects": false'],
    [engines.node === '>=22.12', 'needs "engines": { "node": ">=22.12" }'],
    [publishConfig.access === 'public', 'needs "publishConfig": { "access": "public" }'],
    [
      ['dist', 'src', 'README.md', 'LICENSE'].every((file) => files.includes(file)),
      '"files" needs dist, src, README.md and LICENSE',
    ],
    ...['README.md', 'LICENSE', 'turbo.json'].map((file) => [existsSync(join(root, folder, file)), `has no ${file}`]),
    ...Object.entries(exports)
      .filter(([path]) => path !== './package.json')
      .map(([path, target]) => [
        Object.keys(target).join() === 'types,default',
        `exports "${path}" needs "types", then "default"`,
      ]),
    ...Object.keys(peerDependenciesMeta).map((name) => [
      manifest.peerDependencies?.[name] !== undefined && devDependencies[name] !== undefined,
      `the optional peer ${name} must stand in peerDependencies and in devDependencies`,
    ]),
  ];
  return wanted.filter(([fulfilled]) => !fulfilled).map(([, problem]) => `${folder}: ${problem}`);
}

/** Our own packages are taken from the workspace; a library keeps to `workspace:^`, so that a patch of core needs no release of it. */
export function dependencyProblems(folder, manifest) {
  return dependencies(manifest)
    .filter(({ name }) => /^@(sage-adk|tooling)\//.test(name))
    .filter(({ name, range }) => range !== (name.startsWith('@sage-adk/') ? 'workspace:^' : 'workspace:*'))
    .map(({ name, range }) => `${folder}: ${name} is "${range}"; take it from the workspace`);
}

/** The same library has one version in the whole workspace; a peer range is a statement of its own and may be wider. */
export function versionProblems(manifests) {
  const ranges = new Map();
  for (const { folder, manifest } of manifests) {
    for (const { name, range } of dependencies(
      manifest,
      kinds.filter((kind) => kind !== 'peerDependencies'),
    )) {
      if (range.startsWith('workspace:')) continue;
      if (!ranges.has(name)) ranges.set(name, new Map());
      ranges.get(name).set(range, [...(ranges.get(name).get(range) ?? []), folder]);
    }
  }
  return [...ranges]
    .filter(([, found]) => found.size > 1)
    .map(
      ([name, found]) =>
        `${name} has several versions: ${[...found].map(([range, at]) => `${range} in ${at.join(', ')}`).join('; ')}`,
    );
}

const dependencies = (manifest, of = kinds) =>
  of.flatMap((kind) => Object.entries(manifest[kind] ?? {}).map(([name, range]) => ({ name, range })));
