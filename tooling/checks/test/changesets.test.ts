import { describe, expect, test } from '@jest/globals';
import { missing, readChangeset } from '../src/steps/changesets.ts';

const names = ['@sage-adk/core', '@sage-adk/health'];
const read = (text: string) => readChangeset('.changeset/a.md', text, names);
const all = [
  { name: '@sage-adk/core', folder: 'packages/core' },
  { name: '@sage-adk/health', folder: 'packages/health' },
];

describe('a changeset', () => {
  test('names packages of ours and says what changes', () => {
    const text = '---\n"@sage-adk/core": patch\n\'@sage-adk/health\': minor\n---\n\nProbes answer sooner.\n';
    expect(read(text)).toEqual({ releases: names, problems: [] });
  });

  test('may be empty of packages, for a change that releases nothing', () => {
    expect(read('---\n---\n\nTests only.\n')).toEqual({ releases: [], problems: [] });
  });

  test.each([
    ['no front matter', 'Probes answer sooner.'],
    ['a package that is not ours', '---\n"lodash": patch\n---\n\nx\n'],
    ['an unknown kind of release', '---\n"@sage-adk/core": huge\n---\n\nx\n'],
    ['no words', '---\n"@sage-adk/core": patch\n---\n\n'],
  ])('with %s is refused', (_what, text) => {
    expect(read(text).problems).toHaveLength(1);
  });
});

describe('a range of commits', () => {
  const changed = ['packages/core/src/a.ts', 'packages/health/README.md', 'docs/x.md'];

  test('that changes the source of a package needs a changeset for it', () => {
    expect(missing(changed, all, [])).toEqual([
      '@sage-adk/core changed and no changeset names it: pnpm exec changeset',
    ]);
    expect(missing(changed, all, ['@sage-adk/core'])).toEqual([]);
  });

  test('that releases the package needs none any more', () => {
    expect(missing([...changed, 'packages/core/CHANGELOG.md'], all, [])).toEqual([]);
  });
});
