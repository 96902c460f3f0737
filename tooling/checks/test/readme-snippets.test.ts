import { expect, test } from '@jest/globals';
import { atReadme, snippetsOf } from '../src/steps/readme-snippets.ts';

const readme =
  '# X\n\n```sh\nnpm install x\n```\n\n```ts\nconst a = 1;\n```\n\n```ts run\nconsole.log(2);\n```\n\n```json\n{}\n```\n';

test('TypeScript fences become modules; only those marked are run', () => {
  expect(snippetsOf('packages/x/README.md', readme).map(({ file, runs }) => [file, runs])).toEqual([
    ['packages-x-8.ts', false],
    ['packages-x-12.ts', true],
  ]);
});

test('snippets of several guides in one folder stay apart', () => {
  const files = ['docs/guides/a.md', 'docs/guides/b.md'].flatMap((guide) => snippetsOf(guide, readme));
  expect(new Set(files.map(({ file }) => file)).size).toBe(4);
});

test('an error names the line of the README', () => {
  const [snippet] = snippetsOf('packages/x/README.md', readme);
  expect(snippet?.code.split('\n')[7]).toBe('const a = 1;');
  expect(atReadme('.cache/snippets/packages-x-8.ts(8,7): error TS1: no', snippet === undefined ? [] : [snippet])).toBe(
    'packages/x/README.md:8:7: error TS1: no',
  );
});
