import { spawnSync } from 'node:child_process';
import { expect, jest, test } from '@jest/globals';
import { systemClock } from '../src/index.ts';

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

test('the system clock goes with the clock of a test runner that fakes time, and without it with the machine', () => {
  jest.useFakeTimers();
  try {
    const beforeMs = systemClock.monotonicMs();
    jest.advanceTimersByTime(86_400_000);
    expect(systemClock.monotonicMs() - beforeMs).toBeCloseTo(86_400_000, 3);
  } finally {
    jest.useRealTimers();
  }
  const sinceStartMs = performance.now();
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(sinceStartMs);
  expect(systemClock.monotonicMs()).toBeLessThanOrEqual(performance.now());
});
