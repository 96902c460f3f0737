/**
 * The default backend: winston hands each finished line to its transports as it is.
 */
import { requireNumber } from '@sage-adk/core';
import winston from 'winston';
import Transport from 'winston-transport';
import type { Backend } from '../backend.ts';
import { errors } from '../errors.ts';
import type { LogLevel } from '../level.ts';
import { isError } from '../serialise/error-fields.ts';
import { textOf } from '../serialise/readable.ts';
import { type LineWriter, type LineWriterOptions, openLineWriter } from './line-writer.ts';

export interface WinstonBackendOptions extends LineWriterOptions {
  /** Transports of your own in place of the built-in output. They get the finished line; whether one is lost at the end of the process is up to them. */
  readonly transports?: readonly Transport[];
  /** How long `close` waits for them; then it rejects with `SAGE_LOGGING_OUTPUT_STALLED`. @default 5000 */
  readonly closeWithinMs?: number;
}

const winstonLevels = { fatal: 0, error: 1, warn: 2, info: 3, debug: 4 } as const;
type WinstonLevel = keyof typeof winstonLevels;
const winstonLevelOf: Readonly<Record<LogLevel, WinstonLevel>> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
  FATAL: 'fatal',
};
const levelOf: Readonly<Record<WinstonLevel, LogLevel>> = {
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
  fatal: 'FATAL',
};

// Where winston's transports look for the finished line and its level.
const lineKey = Symbol.for('message');
const levelKey = Symbol.for('level');

/**
 * Writes through winston. With its own output a line is with the operating system when `write` returns, or at the end of the turn with `flush: 'turn'`.
 *
 * @throws SAGE_LOGGING_FILE_NOT_OPENED, SAGE_CORE_INVALID_OPTION
 */
export function createWinstonBackend({
  transports,
  closeWithinMs = 5_000,
  ...options
}: WinstonBackendOptions = {}): Backend {
  requireNumber('closeWithinMs', closeWithinMs, 0);
  let failure: Error | undefined;
  const failed = (error: unknown): void => void (failure = isError(error) ? error : new Error(textOf(error)));
  const output = transports === undefined ? openLineWriter(options) : undefined;
  const logger = winston.createLogger({
    levels: winstonLevels,
    level: 'debug',
    format: { transform: (info) => info },
    transports:
      output === undefined ? (transports ?? []).map((own) => guarded(own, failed)) : outputTransport(output, failed),
  });
  logger.on('error', failed);

  return {
    get lost() {
      return output?.lost ?? 0;
    },
    write(line, level) {
      const name = winstonLevelOf[level];
      logger.write({ level: name, message: line, [levelKey]: name, [lineKey]: line });
      if (failure === undefined) return;
      const reason = failure;
      failure = undefined;
      throw reason;
    },
    async flush() {
      output?.flush();
    },
    async close() {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(errors.OUTPUT_STALLED({ waitedMs: closeWithinMs })), closeWithinMs);
        logger.once('finish', () => resolve(clearTimeout(timer))).end();
      });
      output?.close();
    },
  };
}

/** In place: a transport that throws would never ask for a line again, nor let the logger end. */
function guarded(transport: Transport, failed: (error: unknown) => void): Transport {
  const log = transport.log?.bind(transport);
  if (log === undefined) return transport;
  transport.log = (info, next) => {
    let isDone = false;
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      next();
    };
    try {
      log(info, done);
    } catch (error) {
      failed(error);
      done();
    }
  };
  return transport;
}

/** A transport without a buffer of winston's. Its failures are told aside: winston would unhook a transport that fails, for good. */
function outputTransport(output: LineWriter, failed: (error: unknown) => void): Transport {
  return new Transport({
    log(info: { readonly level: WinstonLevel; readonly [lineKey]: string }, next: () => void) {
      try {
        output.write(info[lineKey], levelOf[info.level]);
      } catch (error) {
        failed(error);
      }
      next();
    },
  });
}
