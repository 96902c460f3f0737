/**
 * Standard output or a file, line by line: each is with the operating system when `write` returns. A file that grew to its bound is put aside as
 * `<path>.1`, the one before as `<path>.2`, and so on.
 */
import { closeSync, existsSync, fstatSync, openSync, renameSync } from 'node:fs';
import { requireNumber, requireWhole } from '@sage-adk/core';
import { tryOpen } from '../errors.ts';
import { createDescriptorWriter, type DescriptorWriter } from './descriptor-writer.ts';

export interface Rotation {
  /** Bytes that a file may have; a longer single line has a file of its own. */
  readonly maxBytes: number;
  /** Files that are kept besides the one in use. @default 5 */
  readonly keep?: number;
}

export interface LineOutputOptions {
  /** A file that lines are added to; its folder must exist. @default standard output */
  readonly filePath?: string;
  /** Only together with `filePath`, and for one process only. @default the file grows */
  readonly rotate?: Rotation;
}

export interface LineOutput {
  /** Takes a line without its line break. Throws what the operating system says, or SAGE_LOGGING_OUTPUT_STALLED. */
  write(line: string): void;
  /** Takes many lines, each with its line break. Throws as `write` does, and has then taken some of them or none. */
  writeAll(lines: string): void;
  close(): void;
}

const standardOutput = 1;

/** @throws SAGE_LOGGING_FILE_NOT_OPENED, SAGE_CORE_INVALID_OPTION */
export function openLineOutput({ filePath, rotate }: LineOutputOptions): LineOutput {
  if (filePath === undefined) {
    const writer = createDescriptorWriter(standardOutput);
    return {
      write: (line) => writer.write(`${line}\n`),
      writeAll: (lines) => writer.write(lines),
      close: () => undefined,
    };
  }
  return new LineFile(filePath, rotate);
}

class LineFile implements LineOutput {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #keep: number;
  #descriptor: number;
  #writer: DescriptorWriter;
  #bytes: number;

  constructor(path: string, { maxBytes = Number.POSITIVE_INFINITY, keep = 5 }: Partial<Rotation> = {}) {
    if (maxBytes !== Number.POSITIVE_INFINITY) requireNumber('rotate.maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER);
    requireWhole('rotate.keep', keep, 1, 1_000);
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#keep = keep;
    this.#descriptor = openFile(path);
    this.#writer = createDescriptorWriter(this.#descriptor);
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  write(line: string): void {
    const bytes = this.#maxBytes === Number.POSITIVE_INFINITY ? 0 : Buffer.byteLength(line) + 1;
    if (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) this.#tryRotate();
    this.#writer.write(`${line}\n`);
    this.#bytes += bytes;
  }

  writeAll(lines: string): void {
    const bytes = this.#maxBytes === Number.POSITIVE_INFINITY ? 0 : Buffer.byteLength(lines);
    if (this.#bytes + bytes > this.#maxBytes) {
      for (const line of lines.slice(0, -1).split('\n')) this.write(line);
      return;
    }
    this.#writer.write(lines);
    this.#bytes += bytes;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Where a file cannot be put aside, lines go on into it, and the next try is due when as many have come again. */
  #tryRotate(): void {
    this.#bytes = 0;
    try {
      this.#rotate();
    } catch (error) {
      process.emitWarning(`The log file ${this.#path} cannot be put aside: ${String(error)}`, {
        code: 'SAGE_LOGGING_NOT_ROTATED',
      });
    }
  }

  // The new file is open before anything is renamed, and gets its name last: each failure leaves all files where they can go on.
  #rotate(): void {
    const path = `${this.#path}.new`;
    const next = openFile(path);
    try {
      if (existsSync(this.#path)) this.#putAside();
      renameSync(path, this.#path);
    } catch (error) {
      closeSync(next);
      throw error;
    }
    const full = this.#descriptor;
    this.#descriptor = next;
    this.#writer = createDescriptorWriter(next);
    closeSync(full);
  }

  // Up to the first free number: another try after one that failed in the middle moves no file that has moved.
  #putAside(): void {
    const pathOf = (number: number): string => `${this.#path}.${number}`;
    let number = 1;
    while (number < this.#keep && existsSync(pathOf(number))) number++;
    for (; number > 1; number--) renameSync(pathOf(number - 1), pathOf(number));
    renameSync(this.#path, pathOf(1));
  }
}

/** Logs may hold what not everybody should read. */
function openFile(path: string): number {
  return tryOpen(path, () => openSync(path, 'a', 0o640));
}
