import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const child = fileURLToPath(new URL('./support/log-and-end.ts', import.meta.url));
const ways = [
  'process.exit',
  'an uncaught error',
  'an unhandled rejection',
  'SIGTERM',
  'SIGINT',
  'SIGKILL',
  'a fatal line',
  'close()',
];
// More than a pipe holds, so that a reader that comes late has to be waited for.
const count = 2_000;

async function readSlowly(way: string, ...more: string[]): Promise<string[]> {
  const started = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', child, String(count), way, ...more],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  await once(started.stderr, 'data');
  // Time for the process to stand before a full pipe.
  await setTimeout(20);
  started.stdout.setEncoding('utf8');
  let text = '';
  for await (const chunk of started.stdout) text += String(chunk);
  return text.split('\n');
}

test.each(ways)('every line reaches a slow reader of standard output after %s', async (way) => {
  const lines = await readSlowly(way);
  expect(lines).toHaveLength(count + 1);
  expect(JSON.parse(lines[count - 1] ?? '')).toMatchObject({ msg: 'the last line', n: count });
});

test('and so they do where something else has made standard output non-blocking', async () => {
  expect(await readSlowly('SIGTERM', 'non-blocking')).toHaveLength(count + 1);
});

test.each(ways)(
  'every line is in the file after %s, through winston, native and pino, line by line and once a turn',
  async (way) => {
    const folder = mkdtempSync(join(tmpdir(), 'sage-logging-'));
    const filePath = join(folder, 'agent.log');
    const started = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', child, '200', way, filePath], {
      stdio: 'ignore',
    });
    await once(started, 'close');
    // What is written once a turn survives all but a process that is killed within one.
    for (const backend of ['winston', 'native', 'pino', ...(way === 'SIGKILL' ? [] : ['turn', 'winston-turn'])]) {
      const lines = readFileSync(`${filePath}.${backend}`, 'utf8').split('\n');
      expect(lines).toHaveLength(201);
      expect(JSON.parse(lines[199] ?? '')).toMatchObject({ n: 200 });
    }
    rmSync(folder, { recursive: true });
  },
);

test.each(['winston', 'pino'])(
  '%s: a reader that takes nothing costs no memory: each line that is lost is counted',
  async (name) => {
    const stalled = fileURLToPath(new URL('./support/log-into-stall.ts', import.meta.url));
    const args = ['--expose-gc', '--disable-warning=ExperimentalWarning', stalled, name];
    const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore', 'ipc'] });
    const [{ grownBytes, counted, lines }] = (await once(started, 'message')) as [Record<string, number>];
    started.kill('SIGKILL');
    expect(counted).toBe(lines);
    // All lines together are more than 8 MB.
    expect(grownBytes).toBeLessThan(3 * 2 ** 20);
  },
);
