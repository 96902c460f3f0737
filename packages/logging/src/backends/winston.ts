/**
 * The default backend: winston hands each finished line to its transports as it is.
 */
import { closeSync, openSync } from 'node:fs';
import winston from 'winston';
import Transport from 'winston-transport';
import type { Backend } from '../backend.ts';
import { errors } from '../errors.ts';
import type { LogLevel } from '../level.ts';
import { isError } from '../serialise/error-fields.ts';
import { createDescriptorWriter } from './descriptor-writer.ts';

export interface WinstonBackendOptions {
  /** A file that lines are added to; its folder must exist. @default standard output */
  readonly filePath?: string;
  /** Transports of your own in place of the built-in output. They get the finished line; whether one is lost at the end of the process is up to them. */
  readonly transports?: readonly Transport[];
}

const winstonLevels = { fatal: 0, error: 1, warn: 2, info: 3, debug: 4 } as const;
const winstonLevelOf: Readonly<Record<LogLevel, keyof typeof winstonLevels>> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
  FATAL: 'fatal',
};

const standardOutput = 1;

// Where winston's transports look for the finished line and its level.
const lineKey = Symbol.for('message');
const levelKey = Symbol.for('level');

/**
 * Writes through winston. With its own output a line is with the operating system when `write` returns.
 *
 * @throws SAGE_LOGGING_FILE_NOT_OPENED
 */
export function createWinstonBackend({ filePath, transports }: WinstonBackendOptions = {}): Backend {
  let failure: Error | undefined;
  const failed = (error: unknown): void => void (failure = isError(error) ? error : new Error(String(error)));
  const descriptor = transports !== undefined || filePath === undefined ? undefined : openFile(filePath);
  const logger = winston.createLogger({
    levels: winstonLevels,
    level: 'debug',
    format: { transform: (info) => info },
    transports: transports === undefined ? descriptorTransport(descriptor ?? standardOutput, failed) : [...transports],
  });
  logger.on('error', failed);

  return {
    write(line, level) {
      const name = winstonLevelOf[level];
      logger.write({ level: name, message: line, [levelKey]: name, [lineKey]: line });
      if (failure === undefined) return;
      const reason = failure;
      failure = undefined;
      throw reason;
    },
    flush: () => Promise.resolve(),
    async close() {
      await new Promise<void>((resolve) => {
        logger.once('finish', () => resolve());
        logger.end();
      });
      if (descriptor !== undefined) closeSync(descriptor);
    },
  };
}

/** A transport without a buffer. Its failures are told aside: winston would unhook a transport that fails, for good. */
function descriptorTransport(descriptor: number, failed: (error: unknown) => void): Transport {
  const writer = createDescriptorWriter(descriptor);
  return new Transport({
    log(info: { readonly [lineKey]: string }, next: () => void) {
      try {
        writer.write(`${info[lineKey]}\n`);
      } catch (error) {
        failed(error);
      }
      next();
    },
  });
}

function openFile(path: string): number {
  try {
    // Logs may hold what not everybody should read.
    return openSync(path, 'a', 0o640);
  } catch (error) {
    throw errors.FILE_NOT_OPENED(
      { path, reason: (error as NodeJS.ErrnoException).code ?? String(error) },
      { cause: error },
    );
  }
}
