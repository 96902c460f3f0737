import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { sources } from '@sage-adk/core';
import { createNativeBackend } from '../../src/backends/native.ts';
import { createTurnOutput } from '../../src/backends/turn-output.ts';
import { createLogger } from '../../src/index.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-logging-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** An output that notes each write, and fails while it is told to. */
function noting() {
  const writes: string[] = [];
  const state = { full: false };
  const output = {
    write: (line: string) => output.writeAll(`${line}\n`),
    writeAll(lines: string) {
      if (state.full) throw new Error('no space left');
      writes.push(lines);
    },
    close: () => undefined,
  };
  return { writes, state, output };
}

describe('lines that are written once a turn', () => {
  test('are one write at the end of the turn, in order', async () => {
    const { writes, output } = noting();
    const turns = createTurnOutput(output, true);
    for (const line of ['a', 'b', 'c']) turns.write(line, 'INFO');
    expect(writes).toEqual([]);
    await setImmediate();
    turns.write('d', 'INFO');
    await setImmediate();
    expect(writes).toEqual(['a\nb\nc\n', 'd\n']);
    turns.close();
  });

  test.each(['WARN', 'ERROR', 'FATAL'] as const)('are written when a line of %s returns, with it', (level) => {
    const { writes, output } = noting();
    const turns = createTurnOutput(output, true);
    turns.write('a', 'DEBUG');
    turns.write('b', level);
    expect(writes).toEqual(['a\nb\n']);
    turns.close();
  });

  test('never wait while they are more than 64 Ki characters', () => {
    const { writes, output } = noting();
    const turns = createTurnOutput(output, true);
    for (let n = 0; n < 2_000; n++) turns.write('x'.repeat(99), 'INFO');
    expect(writes.length).toBe(3);
    for (const text of writes) expect(text.length).toBeLessThan(65_536 + 100);
    turns.flush();
    expect(writes.join('').length).toBe(200_000);
    turns.close();
  });

  test('do not wait in a worker thread', () => {
    const { writes, output } = noting();
    const turns = createTurnOutput(output, false);
    turns.write('a', 'DEBUG');
    expect(writes).toEqual(['a\n']);
    turns.close();
  });

  test('that cannot be written are counted, told once, and hinder no later ones', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { writes, state, output } = noting();
    const turns = createTurnOutput(output, true);
    state.full = true;
    for (const line of ['a', 'b', 'c']) turns.write(line, 'INFO');
    turns.flush();
    turns.write('d', 'WARN');
    state.full = false;
    turns.write('e', 'WARN');
    expect([turns.lost, writes]).toEqual([4, ['e\n']]);
    expect(warn.mock.calls.map(([text]) => String(text))).toEqual(['A log line is lost: Error: no space left']);
    warn.mockRestore();
    turns.close();
  });

  test('are there after flush() and after close(), and rotation loses none', async () => {
    const filePath = join(folder, 'turn.log');
    const logger = createLogger({
      backend: createNativeBackend({ filePath, flush: 'turn', rotate: { maxBytes: 1_000, keep: 50 } }),
    });
    for (let n = 0; n < 50; n++) logger.info('a line', { n });
    await logger.flush();
    expect(numbersIn(folder)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    for (let n = 50; n < 100; n++) logger.info('a line', { n });
    await logger.close();
    expect(numbersIn(folder)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  test('leave no listener behind, and are refused with another word', async () => {
    const before = process.listenerCount('SIGTERM');
    const backend = createNativeBackend({ filePath: join(folder, 'other.log'), flush: 'turn' });
    expect(process.listenerCount('SIGTERM')).toBe(before + 1);
    await backend.close();
    expect(process.listenerCount('SIGTERM')).toBe(before);
    expect(() => createNativeBackend({ flush: 'never' as 'turn' })).toThrow('flush');
  });

  test('are counted as failed by the logger where they are lost', async () => {
    const backend = { write() {}, lost: 2, flush: () => Promise.resolve(), close: () => Promise.resolve() };
    await using logger = createLogger({ backend });
    for (const text of ['a', 'b', 'c']) logger.info(text);
    const counters = sources().findLast(({ name }) => name === 'logging');
    expect(counters?.read()).toMatchObject({ written: 1, failed: 2 });
  });
});

const handling = new URL('../support/log-and-handle.ts', import.meta.url);
const exiting = new URL('../support/log-at-exit.ts', import.meta.url);

/** What a child logged that ends with 7. */
async function messagesOf(child: URL, ...more: string[]): Promise<string[]> {
  const filePath = join(mkdtempSync(join(folder, 'child-')), 'agent.log');
  const args = ['--disable-warning=ExperimentalWarning', fileURLToPath(child), filePath, ...more];
  const started = spawn(process.execPath, args, {
    stdio: 'ignore',
  });
  const [code] = (await once(started, 'close')) as [number | null];
  expect(code).toBe(7);
  const lines = readFileSync(filePath, 'utf8').trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
}

test('a handler of the program decides what a signal does, and no line is lost', async () => {
  expect(await messagesOf(handling)).toEqual(['before', 'handled', 'after']);
});

test('and so does one that is called once and was there before the logger', async () => {
  expect(await messagesOf(exiting, 'once')).toEqual(['before', 'handled', 'ended']);
});

test('a line of an exit handler is written, though no turn comes any more', async () => {
  expect(await messagesOf(exiting)).toEqual(['before', 'at exit']);
});

function numbersIn(path: string): number[] {
  return readdirSync(path)
    .filter((file) => file.startsWith('turn.log'))
    .flatMap((file) => readFileSync(join(path, file), 'utf8').trimEnd().split('\n'))
    .map((line) => (JSON.parse(line) as { n: number }).n)
    .toSorted((a, b) => a - b);
}
