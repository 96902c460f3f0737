import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { exampleProblems, type FailedLoad, installProblems, loadProblems } from '../src/steps/packed.ts';

const library = {
  short: 'ratelimit',
  manifest: {
    dependencies: { '@sage-adk/core': '^0.1.0' },
    peerDependencies: { redis: '^6.0.0' },
    peerDependenciesMeta: { redis: { optional: true } },
  },
};
const unwanted = new Set(['redis', 'postgres', 'express']);

describe('a package installed alone', () => {
  test('brings its dependencies', () => {
    expect(installProblems(library, ['@sage-adk/core', '@sage-adk/ratelimit'], unwanted, 2)).toEqual([]);
  });

  test('brings no driver and no framework', () => {
    expect(installProblems(library, ['@sage-adk/core', 'redis'], unwanted, 9)).toEqual([
      'ratelimit: installing it alone brings redis',
    ]);
  });

  test('may bring what it declares as a dependency', () => {
    const declared = { ...library, manifest: { ...library.manifest, dependencies: { express: '5' } } };
    expect(installProblems(declared, ['express'], unwanted, 9)).toEqual([]);
  });

  test('stays within its budget of packages', () => {
    expect(installProblems(library, ['a', 'b', 'c'], unwanted, 2)).toHaveLength(1);
    expect(installProblems(library, ['a'], unwanted, undefined)[0]).toContain('no installedPackages budget');
  });
});

describe('a subpath', () => {
  const failed = (missing: string | undefined): readonly FailedLoad[] => [
    { specifier: '@sage-adk/ratelimit/redis', by: 'import', message: 'Cannot find package', missing },
  ];

  test('may miss an optional peer of its package', () => {
    expect(loadProblems(library.manifest, failed('redis'))).toEqual([]);
  });

  test('may miss nothing else', () => {
    expect(loadProblems(library.manifest, failed('zod'))).toEqual([
      "import('@sage-adk/ratelimit/redis') failed: Cannot find package",
    ]);
    expect(loadProblems(library.manifest, failed(undefined))).toHaveLength(1);
  });
});

describe('the example of a README', () => {
  const project = mkdtempSync(join(tmpdir(), 'sage-example-'));
  afterAll(() => rmSync(project, { recursive: true, force: true }));
  const readme = (code: string): string => `# x\n\n\`\`\`ts run\n${code}\n\`\`\`\n`;

  test('runs as pasted', async () => {
    expect(
      await exampleProblems(
        project,
        'x',
        readme("import { join } from 'node:path';\nconst path: string = join('a', 'b');"),
      ),
    ).toEqual([]);
    expect(await exampleProblems(project, 'x', '# no example')).toEqual([]);
  });

  test('is told where it does not', async () => {
    expect(await exampleProblems(project, 'x', readme("import 'no-such-package';"))).toEqual([
      expect.stringContaining('no-such-package'),
    ]);
  });
});
