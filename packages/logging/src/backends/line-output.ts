/**
 * Standard output or a file, line by line: each is with the operating system when `write` returns. A file that grew to its bound is put aside as
 * `<path>.1`, the one before as `<path>.2`, and so on.
 */
import { closeSync, existsSync, fstatSync, openSync, renameSync } from 'node:fs';
import { requireNumber } from '@sage-adk/core';
import { errors } from '../errors.ts';
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
    requireNumber('rotate.keep', keep, 1, 1_000);
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#keep = keep;
    this.#descriptor = openFile(path);
    this.#writer = createDescriptorWriter(this.#descriptor);
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  write(line: string): void {
    if (this.#maxBytes !== Number.POSITIVE_INFINITY) {
      const bytes = Buffer.byteLength(line) + 1;
      if (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) this.#rotate();
      this.#bytes += bytes;
    }
    this.#writer.write(`${line}\n`);
  }

  writeAll(lines: string): void {
    const bytes = this.#maxBytes === Number.POSITIVE_INFINITY ? 0 : Buffer.byteLength(lines);
    if (this.#bytes + bytes > this.#maxBytes) {
      for (const line of lines.slice(0, -1).split('\n')) this.write(line);
      return;
    }
    this.#bytes += bytes;
    this.#writer.write(lines);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  // The old file stays open until the new one is: where it cannot be opened, lines go on into the old one.
  #rotate(): void {
    for (let number = this.#keep - 1; number >= 1; number--) {
      const path = `${this.#path}.${number}`;
      if (existsSync(path)) renameSync(path, `${this.#path}.${number + 1}`);
    }
    renameSync(this.#path, `${this.#path}.1`);
    const next = openFile(this.#path);
    closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#writer = createDescriptorWriter(next);
    this.#bytes = 0;
  }
}

function openFile(path: string): number {
  try {
    // Logs may hold what not everybody should read.
    return openSync(path, 'a', 0o640);
  } catch (cause) {
    throw errors.FILE_NOT_OPENED({ path, reason: (cause as NodeJS.ErrnoException).code ?? String(cause) }, { cause });
  }
}
