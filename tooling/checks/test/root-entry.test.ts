import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { moduleGraph, packageOf } from '../src/module-graph.ts';
import { rootEntryProblems } from '../src/steps/root-entry.ts';
import { folderWith } from './support/workspace.ts';

const manifest = {
  name: '@sage-adk/sample',
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  dependencies: { '@sage-adk/core': 'workspace:^', winston: '3.19.0' },
  peerDependencies: { '@opentelemetry/api': '1', redis: '6' },
  peerDependenciesMeta: { redis: { optional: true } },
};

const problemsOf = (files: Readonly<Record<string, string>>, of: object = manifest): readonly string[] =>
  rootEntryProblems(folderWith(files), { ...manifest, ...of });

describe('the root entry', () => {
  test('may reach node: modules, dependencies, required peers and its own files', () => {
    const problems = problemsOf({
      'dist/index.js': `import 'node:fs'; import { a } from './a.js'; export * from '@sage-adk/core/queue'; export { a };`,
      'dist/a.js': `import 'winston'; import '@opentelemetry/api'; import './index.js'; export const a = 1;`,
    });
    expect(problems).toEqual([]);
  });

  test('may not reach an optional peer, however deep the import stands', () => {
    const problems = problemsOf({
      'dist/index.js': `export { b } from './a.js';`,
      'dist/a.js': `export { b } from './deep/b.js';`,
      'dist/deep/b.js': `import { createClient } from 'redis'; export const b = createClient;`,
    });
    expect(problems).toEqual([
      '@sage-adk/sample: dist/deep/b.js, reached from the root entry, imports "redis", an optional peer: reach it from a subpath of its own',
    ]);
  });

  test.each([
    ['a dynamic import', `export const load = () => import('redis');`],
    ['a re-export', `export * from 'redis';`],
    [
      'require',
      `import { createRequire } from 'node:module'; export const r = createRequire(import.meta.url); r.require('redis');`,
    ],
    ['a worker', `new Worker(new URL('./worker.js', import.meta.url));`],
  ])('may not reach it by %s', (_form, code) => {
    const problems = problemsOf({ 'dist/index.js': code, 'dist/worker.js': `import 'redis';` });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('imports "redis"');
  });

  test('may not reach a package nobody installs', () => {
    expect(problemsOf({ 'dist/index.js': `import 'express';` })[0]).toContain('not a dependency of the package');
  });

  test('of a package without dependencies reaches node: modules only', () => {
    const core = { name: '@sage-adk/core', dependencies: {}, peerDependencies: {} };
    expect(problemsOf({ 'dist/index.js': `import 'node:fs';` }, core)).toEqual([]);
    expect(problemsOf({ 'dist/index.js': `import 'winston';` }, core)).toHaveLength(1);
  });

  test('that is not built is a problem', () => {
    expect(problemsOf({ 'package.json': '{}' })).toEqual(['@sage-adk/sample: ./dist/index.js is not built']);
  });
});

test('text that looks like an import is none', () => {
  const root = folderWith({
    'index.js': `// import 'redis';\nexport const text = "import 'redis'"; /** require('redis') */`,
  });
  expect(moduleGraph(join(root, 'index.js')).externals).toEqual([]);
});

test('a subpath belongs to its package', () => {
  expect(['@a/b/c', '@a/b', 'x/y', 'x'].map(packageOf)).toEqual(['@a/b', '@a/b', 'x', 'x']);
});
