/** The block `observability.logging` of a configuration file. */
import { z } from 'zod';
import { levels, type LogLevel } from './level.ts';
import type { LoggerOptions } from './logger.ts';

export const loggingConfig = z
  .strictObject({
    level: z
      .preprocess((value) => (typeof value === 'string' ? value.toUpperCase() : value), z.enum(levels))
      .default('INFO'),
    format: z.enum(['json', 'text']).default('json'),
    output: z.enum(['stdout', 'file']).default('stdout'),
    /** Needed by, and only for, the output `file`. Its folder must exist. */
    file_path: z.string().min(1).optional(),
    /** Share of DEBUG lines that is written. */
    sampling_rate: z.number().min(0).max(1).default(1),
    /** Bytes after which the file is put aside and a new one begun; only for the output `file`. */
    max_bytes: z.number().int().min(1).optional(),
    /** Files that are kept besides the one in use. */
    keep_files: z.number().int().min(1).max(1_000).default(5),
  })
  .superRefine(({ output, file_path: path, max_bytes: maxBytes }, context) => {
    if (output === 'stdout' && maxBytes !== undefined) {
      context.addIssue({ code: 'custom', path: ['max_bytes'], message: 'is only for the output "file"' });
    }
    if (output === 'file' && path === undefined) {
      context.addIssue({ code: 'custom', path: ['file_path'], message: 'is needed by the output "file"' });
    }
    if (output === 'stdout' && path !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['file_path'],
        message: 'is only for the output "file"; set output to "file" or remove it',
      });
    }
  })
  .prefault({});

export type LoggingConfig = z.output<typeof loggingConfig>;

/** The options of `createLogger` that the block asks for. */
export function loggingFromConfig({
  level,
  format,
  file_path: filePath,
  sampling_rate: samplingRate,
  max_bytes: maxBytes,
  keep_files: keep,
}: LoggingConfig): LoggerOptions {
  return {
    level: level satisfies LogLevel,
    format,
    samplingRate,
    ...(filePath !== undefined && { filePath }),
    ...(maxBytes !== undefined && { rotate: { maxBytes, keep } }),
  };
}
