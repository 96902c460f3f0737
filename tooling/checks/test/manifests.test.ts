import { expect, test } from '@jest/globals';
import {
  libraryProblems,
  workspaceDependencyProblems,
  versionProblems,
  type Workspace,
} from '../src/steps/manifests.ts';
import type { Manifest } from '../src/workspace.ts';
import { folderWith } from './support/workspace.ts';

const library = {
  name: '@sage-adk/x',
  license: 'Apache-2.0',
  type: 'module',
  sideEffects: false,
  engines: { node: '>=22.12' },
  publishConfig: { access: 'public' },
  files: ['dist', 'src', 'README.md', 'LICENSE'],
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './package.json': './package.json' },
  peerDependencies: { redis: '^6.0.0' },
  peerDependenciesMeta: { redis: { optional: true } },
  devDependencies: { redis: '6.3.1' },
};
const files = { 'packages/x/README.md': '', 'packages/x/LICENSE': '', 'packages/x/turbo.json': '{}' };

const at = (folder: string, manifest: Manifest): Workspace => ({ folder, manifest });

test('a library of the right shape has no problem', () => {
  expect(libraryProblems(folderWith(files), 'packages/x', library)).toEqual([]);
});

test.each([
  ['is private', { private: true }],
  ['has another licence', { license: 'MIT' }],
  ['puts default before types', { exports: { '.': { default: './a.js', types: './a.d.ts' } } }],
  ['cannot test its optional peer', { devDependencies: {} }],
  ['leaves its source out', { files: ['dist', 'README.md', 'LICENSE'] }],
])('a library that %s is refused', (_what, change) => {
  expect(libraryProblems(folderWith(files), 'packages/x', { ...library, ...change })).toHaveLength(1);
});

test('a library without a README is refused', () => {
  expect(libraryProblems(folderWith({ ...files, 'packages/x/README.md': '' }), 'packages/y', library)).toHaveLength(3);
});

test('our own packages come from the workspace', () => {
  expect(workspaceDependencyProblems(at('packages/x', { dependencies: { '@sage-adk/core': 'workspace:^' } }))).toEqual(
    [],
  );
  expect(workspaceDependencyProblems(at('packages/x', { dependencies: { '@sage-adk/core': '^0.1.0' } }))).toHaveLength(
    1,
  );
  expect(workspaceDependencyProblems(at('packages/x', { devDependencies: { '@tooling/jest': '0.0.0' } }))).toHaveLength(
    1,
  );
});

test('a library has one version in the workspace; a peer range may be wider', () => {
  const one = at('a', { dependencies: { yaml: '2.1.0' } });
  expect(versionProblems([one, at('b', { peerDependencies: { yaml: '^2.0.0' } })])).toEqual([]);
  expect(versionProblems([one, at('b', { devDependencies: { yaml: '2.2.0' } })])).toEqual([
    'yaml has several versions: 2.1.0 in a; 2.2.0 in b',
  ]);
  expect(versionProblems([one, at('b', { dependencies: { yaml: '3.0.0' }, otherVersionsOf: ['yaml'] })])).toEqual([]);
});
