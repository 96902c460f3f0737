import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { openLineOutput } from '../../src/backends/line-output.ts';

let folder: string;
let filePath: string;
let warn: ReturnType<typeof jest.spyOn>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-logging-'));
  filePath = join(folder, 'agent.log');
  warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
});
afterEach(() => {
  warn.mockRestore();
  rmSync(folder, { recursive: true });
});

const line = (n: number): string => `line ${String(n).padStart(4, '0')}`;
const contents = (): Record<string, string[]> =>
  Object.fromEntries(
    readdirSync(folder)
      .toSorted()
      .map((file) => [file, readFileSync(join(folder, file), 'utf8').trimEnd().split('\n')]),
  );
const linesFrom = (from: number, count: number): string[] => Array.from({ length: count }, (_, at) => line(from + at));

describe('a file that rotates', () => {
  /** Ten bytes a line, so two lines a file. */
  const open = () => openLineOutput({ filePath, rotate: { maxBytes: 20, keep: 3 } });

  test('goes on in a new one where somebody removed it, and the files put aside stay where they are', () => {
    const output = open();
    for (const text of linesFrom(0, 4)) output.write(text);
    rmSync(filePath);
    for (const text of linesFrom(4, 2)) output.write(text);
    output.close();
    expect(contents()).toEqual({ 'agent.log': linesFrom(4, 2), 'agent.log.1': linesFrom(0, 2) });
  });

  test.each([
    ['a new one cannot be opened', 'agent.log.new'],
    ['the oldest cannot make room', 'agent.log.3'],
  ])('goes on in the old one while %s, tells that, and moves no other', (_name, inTheWay) => {
    const output = open();
    for (const text of linesFrom(0, 6)) output.write(text);
    mkdirSync(join(folder, inTheWay));
    for (const text of linesFrom(6, 6)) output.write(text);
    rmdirSync(join(folder, inTheWay));
    const before = { 'agent.log.1': linesFrom(2, 2), 'agent.log.2': linesFrom(0, 2) };
    expect(contents()).toMatchObject({ ...before, 'agent.log': linesFrom(4, 8) });
    expect(String(warn.mock.calls[0]?.[0])).toContain('agent.log cannot be put aside');
    for (const text of linesFrom(12, 2)) output.write(text);
    output.close();
    expect(contents()).toEqual({
      'agent.log': linesFrom(12, 2),
      'agent.log.1': linesFrom(4, 8),
      'agent.log.2': linesFrom(2, 2),
      'agent.log.3': linesFrom(0, 2),
    });
  });

  test('keeps its history through a failure between two renames', () => {
    const output = open();
    for (const text of linesFrom(0, 6)) output.write(text);
    // As a try leaves it that moved the first file and failed then.
    renameSync(`${filePath}.2`, `${filePath}.3`);
    renameSync(`${filePath}.1`, `${filePath}.2`);
    for (const text of linesFrom(6, 2)) output.write(text);
    output.close();
    expect(contents()).toEqual({
      'agent.log': linesFrom(6, 2),
      'agent.log.1': linesFrom(4, 2),
      'agent.log.2': linesFrom(2, 2),
      'agent.log.3': linesFrom(0, 2),
    });
  });

  test('counts only what was written: lines that a full disk refuses put no file aside', () => {
    symlinkSync('/dev/full', filePath);
    const full = open();
    for (const text of linesFrom(0, 10)) expect(() => full.write(text)).toThrow('ENOSPC');
    expect(() => full.writeAll('line\n')).toThrow('ENOSPC');
    full.close();
    expect(warn).not.toHaveBeenCalled();
    expect(readdirSync(folder)).toEqual(['agent.log']);
  });

  test('leaves no descriptor open, whether it could be put aside or not', () => {
    const output = open();
    const before = nextDescriptor();
    for (const text of linesFrom(0, 40)) output.write(text);
    rmSync(`${filePath}.3`);
    mkdirSync(`${filePath}.3`);
    for (const text of linesFrom(40, 40)) output.write(text);
    expect(nextDescriptor()).toBeLessThan(before + 10);
    output.close();
  });
});

function nextDescriptor(): number {
  const descriptor = openSync(folder, 'r');
  closeSync(descriptor);
  return descriptor;
}
