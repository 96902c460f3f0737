/** What the backends that write by themselves write to: an output that takes each line at once, or the lines of a turn together. */
import { requireOption } from '@sage-adk/core';
import type { LogLevel } from '../level.ts';
import { type LineOutputOptions, openLineOutput } from './line-output.ts';
import { createTurnOutput } from './turn-output.ts';

export interface LineWriterOptions extends LineOutputOptions {
  /**
   * `line`: a line is with the operating system when `write` returns. `turn`: the lines of one turn of the event loop are written together, at its end, at 64 Ki
   * characters, or with the first line of WARN or above; what is left is written when the process exits, by an error or by SIGTERM, SIGINT or SIGHUP, and only
   * SIGKILL and a crash of the process itself lose the lines of their turn. @default 'line'
   */
  readonly flush?: 'line' | 'turn';
}

export interface LineWriter {
  /** Lines that it took and could not write. */
  readonly lost: number;
  /** Throws what hinders this line, where it is written at once. */
  write(line: string, level: LogLevel): void;
  flush(): void;
  close(): void;
}

/** @throws SAGE_LOGGING_FILE_NOT_OPENED, SAGE_CORE_INVALID_OPTION */
export function openLineWriter({ flush = 'line', ...options }: LineWriterOptions): LineWriter {
  requireOption('flush', flush, '"line" or "turn"', (value) => value === 'line' || value === 'turn');
  const output = openLineOutput(options);
  if (flush === 'turn') return createTurnOutput(output);
  return {
    lost: 0,
    write: (line) => output.write(line),
    flush: () => undefined,
    close: () => output.close(),
  };
}
