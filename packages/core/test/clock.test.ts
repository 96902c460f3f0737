import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

const core = new URL('../src/index.ts', import.meta.url).href;
const deadline = new URL('../src/deadline/index.ts', import.meta.url).href;

function outputOf(script: string): string {
  const args = ['--input-type=module', '--disable-warning=ExperimentalWarning', '--eval', script];
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 }).stdout;
}

test('a timer of the background lets the process end', () => {
  expect(
    outputOf(
      `import { systemClock } from ${JSON.stringify(core)}; systemClock.setTimer(() => console.log('late'), 50);`,
    ),
  ).toBe('');
});

test('a sleep that is awaited keeps the process alive', () => {
  expect(outputOf(`import { sleep } from ${JSON.stringify(deadline)}; await sleep(20); console.log('awake');`)).toBe(
    'awake\n',
  );
});
