/** Writes finished lines to where a pino logger writes: its destination, multistream or transport. Without one it writes them itself. */
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import type { Backend } from '../backend.ts';
import type { LogLevel } from '../level.ts';
import { createNativeBackend } from './native.ts';

export interface PinoBackendOptions {
  /** The logger whose output is used; it stays open. @default none: lines are written as by `createNativeBackend`, to `filePath` */
  readonly logger?: PinoLogger;
  /** Not together with `logger`. @default standard output */
  readonly filePath?: string;
}

/** What pino asks of a stream, and what some have. */
interface PinoStream extends DestinationStream {
  lastLevel?: number;
  flushSync?(): void;
}

const numberOf: Readonly<Record<LogLevel, number>> = { DEBUG: 20, INFO: 30, WARN: 40, ERROR: 50, FATAL: 60 };

/**
 * With a logger, when a line is written and what becomes of it before a reader that takes nothing is up to its output. Without one a line is with the
 * operating system when `write` returns.
 *
 * @throws SAGE_LOGGING_FILE_NOT_OPENED
 */
export function createPinoBackend({ logger, filePath }: PinoBackendOptions = {}): Backend {
  // A synchronous destination of pino's would wait for a reader that takes nothing without end.
  if (logger === undefined) return createNativeBackend(filePath === undefined ? {} : { filePath });
  const { [pino.symbols.streamSym]: stream } = logger as unknown as { readonly [pino.symbols.streamSym]: PinoStream };
  return {
    write(line, level) {
      // A multistream chooses by it.
      stream.lastLevel = numberOf[level];
      stream.write(`${line}\n`);
    },
    flush() {
      stream.flushSync?.();
      return Promise.resolve();
    },
    close() {
      stream.flushSync?.();
      return Promise.resolve();
    },
  };
}
