import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { runCommand } from '../src/run-command.ts';

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

test('an unknown check is refused, with the names of those there are; each has its file', async () => {
  const { code, output } = await runCommand(process.execPath, [fileOf('../src/check.ts'), 'nonsense']);
  expect(code).toBe(1);
  const [, names = ''] = /There are: (.*)\./.exec(output) ?? [];
  const missing = names.split(', ').filter((name) => !existsSync(fileOf(`../src/steps/${name}.ts`)));
  expect(missing).toEqual([]);
});

test('a command that takes too long is ended and has failed', async () => {
  const { code, output } = await runCommand(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    timeoutMs: 200,
  });
  expect(code).toBe(124);
  expect(output).toContain('killed after 200 ms');
});

test('a command that does not exist has failed', async () => {
  expect((await runCommand('no-such-command-here', [])).code).toBe(127);
});
