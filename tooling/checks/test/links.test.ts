import { describe, expect, test } from '@jest/globals';
import { anchors, fences, links } from '../src/markdown.js';
import { linkProblems } from '../src/steps/links.ts';
import { folderWith } from './support/workspace.ts';

const other = '# Other\n\n## How it works\n\n## How it works\n\n## `createX(options)`: *why*?\n\n<a id="kept"></a>\n';
const problemsOf = (text: string): readonly string[] =>
  linkProblems(folderWith({ 'docs/a.md': text, 'docs/b.md': other, LICENSE: '' }), 'docs/a.md');

describe('a link', () => {
  test.each([
    '[x](b.md)',
    '[x](../LICENSE)',
    '[x](../docs)',
    '[x](b.md#how-it-works)',
    '[x](b.md#how-it-works-1)',
    '[x](b.md#createxoptions-why)',
    '[x](b.md#kept)',
    '# Here\n\n[x](#here)',
    '[x]: b.md#other',
    '[x](https://example.com/nothing#here)',
    '[x](mailto:a@example.com)',
    '`[x](gone.md)` and\n\n```md\n[x](gone.md)\n```',
  ])('that leads somewhere is fine: %j', (text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  test.each([
    ['[x](gone.md)', 'docs/a.md:1 gone.md: no such file'],
    ['\n![x](gone.png "title")', 'docs/a.md:2 gone.png: no such file'],
    ['[x](b.md#gone)', 'docs/a.md:1 b.md#gone: no such heading'],
    ['[x](#gone)', 'docs/a.md:1 #gone: no such heading'],
    ['[x]: gone.md', 'docs/a.md:1 gone.md: no such file'],
    ['<img src="gone.png">', 'docs/a.md:1 gone.png: no such file'],
    ['[x](../../secrets.md)', 'docs/a.md:1 ../../secrets.md: leads out of the repository'],
    ['[x](/LICENSE)', 'docs/a.md:1 /LICENSE: leads out of the repository'],
  ])('that leads nowhere is found: %j', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });
});

test('a heading inside a fence is no anchor', () => {
  expect([...anchors('# A\n\n```sh\n# B\n```\n')]).toEqual(['a']);
});

test('a fence keeps its info, its lines and where they stand, inside a list too', () => {
  expect(fences('x\n\n```ts run\na\n\nb\n```\n\n- item\n\n  ~~~sh\n  c\n  ~~~\n')).toEqual([
    { info: 'ts run', code: 'a\n\nb', line: 4 },
    { info: 'sh', code: 'c', line: 12 },
  ]);
});

test('several links on a line are all seen', () => {
  expect(links('[a](b.md), [c](d.md) and [e](f.md "t")').map(({ target }) => target)).toEqual(['b.md', 'd.md', 'f.md']);
});
