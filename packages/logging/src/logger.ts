/**
 * The logger: whether a line is wanted, what it says and how it is spelt is decided here; a backend only writes it.
 */
import {
  type Clock,
  type Context,
  type Random,
  requireNumber,
  requireOption,
  systemClock,
  systemRandom,
  type TraceIds,
} from '@sage-adk/core';
import type { Backend } from './backend.ts';
import { BoundLogger } from './bound-logger.ts';
import { createWinstonBackend } from './backends/winston.ts';
import type { Rotation } from './backends/line-output.ts';
import { createFailedTraces } from './failed-traces.ts';
import { type LogLevel, requireLevel } from './level.ts';
import { Output } from './output.ts';
import { boundFields } from './record.ts';
import { createSampler } from './sampling.ts';
import type { Fields } from './serialise/plain.ts';
import { createRedaction } from './serialise/redaction.ts';
import { createSecrets } from './serialise/secrets.ts';

export interface LoggerOptions {
  /** Lines below it are not written. @default 'INFO' */
  readonly level?: LogLevel;
  /** `json` is one object a line; `text` is for people. @default 'json' */
  readonly format?: 'json' | 'text';
  /** Where lines go. @default winston, to standard output or to `filePath` */
  readonly backend?: Backend;
  /** A file that lines are added to; its folder must exist. Not together with `backend`. */
  readonly filePath?: string;
  /** Name of the service, the field `service`. */
  readonly service?: string;
  /** Fields of every line. */
  readonly fields?: Fields;
  /** Share of DEBUG lines that is written, from 0 to 1, chosen by trace id. Other levels are always written. @default 1 */
  readonly samplingRate?: number;
  /**
   * DEBUG lines that sampling suppressed and that are kept for each trace, to be written if it fails: at an ERROR line, or when its request ends with an
   * error. At most 4 Mi characters for all traces; 0 keeps none. @default 100
   */
  readonly failedTraceLines?: number;
  /** What happens to a full file. Only together with `filePath`. @default it grows */
  readonly rotate?: Rotation;
  /** When lines are written: see the backends. Not together with `backend`. @default 'line' */
  readonly flush?: 'line' | 'turn';
  /** Values that appear in no line, wherever they stand. See {@link Logger.hide}. @default [] */
  readonly secrets?: readonly string[];
  /** Keys whose values are never written, besides the built-in ones; `false` writes all. @default [] */
  readonly redact?: readonly string[] | false;
  readonly clock?: Clock;
  /** Chooses DEBUG lines that belong to no trace. */
  readonly random?: Random;
}

export interface Logger extends AsyncDisposable {
  /** Lines below it are not written; set it to change it for the logger and all its children. */
  level: LogLevel;
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** Says that the process cannot go on. It doesn't end it; the line is written when this returns. */
  fatal(message: string, fields?: Fields): void;
  /** Writes a line about something else than the running request. */
  log(entry: LogEntry): void;
  /** A logger that adds `fields` to each line and shares everything else. */
  child(fields: Fields): Logger;
  /** Whether lines of this level are written. False means that a call costs nothing. */
  isEnabled(level: LogLevel): boolean;
  /** Calls `listener` after each change of the level. Disposing ends it. */
  onLevelChange(listener: (level: LogLevel) => void): Disposable;
  /**
   * From now on `secret` appears in no line, neither in messages nor in stacks or texts, for the logger and all its children.
   *
   * @throws SAGE_CORE_INVALID_OPTION for less than 6 characters
   */
  hide(secret: string): void;
  /** Resolves when every line so far is written. */
  flush(): Promise<void>;
  /** Writes what is left and frees the output, for all children as well. Later lines are counted as failed. */
  close(): Promise<void>;
}

/** A line with its origin told. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  /** A function is only called if the line is written. */
  readonly fields?: Fields | (() => Fields);
  /** The request it belongs to. @default the running one, where the key is missing */
  readonly context?: Context | undefined;
  /** @default the active trace, where the key is missing */
  readonly trace?: TraceIds | undefined;
  /** Whether it says that its trace failed, so that held DEBUG lines of it are written. @default from ERROR on */
  readonly failed?: boolean;
}

/**
 * Makes a logger. Calls on it never throw, whatever they are given and whatever the output does.
 *
 * @throws SAGE_LOGGING_FILE_NOT_OPENED, SAGE_CORE_INVALID_OPTION
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'INFO', format = 'json', samplingRate = 1, service, fields = {}, redact = [] } = options;
  const { backend, filePath, rotate, clock = systemClock, random = systemRandom } = options;
  const { failedTraceLines = 100, secrets: hidden = [], flush } = options;
  requireLevel(level);
  requireOption('format', format, '"json" or "text"', (value) => value === 'json' || value === 'text');
  requireNumber('samplingRate', samplingRate, 0, 1);
  requireOption(
    'filePath',
    filePath,
    'missing where a backend is given',
    (path) => path === undefined || backend === undefined,
  );
  requireOption(
    'rotate',
    rotate,
    'together with filePath',
    (rotation) => rotation === undefined || filePath !== undefined,
  );
  requireOption('flush', flush, 'missing where a backend is given', (f) => f === undefined || backend === undefined);
  requireNumber('failedTraceLines', failedTraceLines, 0, 100_000);
  const secrets = createSecrets();
  for (const secret of hidden) secrets.add(secret);
  const isSecret = redact === false ? () => false : createRedaction(redact);
  const output = new Output({
    level,
    backend:
      backend ??
      createWinstonBackend({
        ...(filePath !== undefined && { filePath }),
        ...(rotate !== undefined && { rotate }),
        ...(flush !== undefined && { flush }),
      }),
    format,
    isSecret,
    keepsDebug: createSampler(samplingRate, random),
    failedTraces: failedTraceLines === 0 || samplingRate === 1 ? undefined : createFailedTraces(failedTraceLines),
    secrets,
    clock,
  });
  return new BoundLogger(output, boundFields({}, { ...(service !== undefined && { service }), ...fields }, isSecret));
}
