/** Writes finished lines to where a pino logger writes: its destination, multistream or transport. */
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import type { Backend } from '../backend.ts';
import type { LogLevel } from '../level.ts';

export interface PinoBackendOptions {
  /** The logger whose output is used; it stays open. @default a synchronous destination of pino's, to `filePath` */
  readonly logger?: PinoLogger;
  /** Not together with `logger`. @default standard output */
  readonly filePath?: string;
}

/** What pino asks of a stream, and what some have. */
interface PinoStream extends DestinationStream {
  lastLevel?: number;
  flushSync?(): void;
  end?(): void;
}

const numberOf: Readonly<Record<LogLevel, number>> = { DEBUG: 20, INFO: 30, WARN: 40, ERROR: 50, FATAL: 60 };

/** With its own destination a line is with the operating system when `write` returns; otherwise that is up to the logger's. */
export function createPinoBackend({ logger, filePath }: PinoBackendOptions = {}): Backend {
  const stream: PinoStream =
    logger === undefined
      ? pino.destination({ dest: filePath ?? 1, sync: true })
      : (logger as unknown as { readonly [pino.symbols.streamSym]: PinoStream })[pino.symbols.streamSym];
  return {
    write(line, level) {
      // A multistream chooses by it.
      if (logger !== undefined) stream.lastLevel = numberOf[level];
      stream.write(`${line}\n`);
    },
    flush() {
      stream.flushSync?.();
      return Promise.resolve();
    },
    close() {
      stream.flushSync?.();
      if (logger === undefined) stream.end?.();
      return Promise.resolve();
    },
  };
}
