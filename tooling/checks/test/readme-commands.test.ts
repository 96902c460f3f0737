import { expect, test } from '@jest/globals';
import { readmeProblems } from '../src/readme-commands.js';

const fence = (code: string, info = 'sh'): string => `\`\`\`${info}\n${code}\n\`\`\`\n`;
const start = fence('npx --yes pnpm@12 start');
const tests = fence('npx --yes pnpm@12 test');

test('the two commands, each alone in a fence, are found', () => {
  expect(readmeProblems(`# Title\n\n${start}\ntext\n\n${tests}`)).toEqual([]);
});

test.each([
  ['a missing one', start],
  ['one that stands twice', start + tests + tests],
  ['one that shares its fence', start + fence('npx --yes pnpm@12 test\nnpx --yes pnpm@12 check')],
  ['one that is spelled otherwise', start + fence('npx pnpm@12 test')],
  ['one in a fence of another kind', start + fence('npx --yes pnpm@12 test', 'text')],
])('%s is refused', (_what, text) => {
  expect(readmeProblems(text)).toHaveLength(1);
});
