/** The block `observability.logging` of a configuration file. */
import { z } from 'zod';
import type { AuditLogOptions } from './audit/audit-log.ts';
import { levels, type LogLevel } from './level.ts';
import type { LoggerOptions } from './logger.ts';

/** The audit log: violations of security, changes of the configuration and critical errors, in a chain of hashes. */
const audit = z
  .strictObject({
    enabled: z.boolean().default(false),
    /** Where the chains are; made where it is missing. */
    folder: z.string().min(1).default('audit'),
    /** A file that holds the key which seals the chain. Without one the hashes show accidents and careless edits only. */
    key_file: z.string().min(1).optional(),
    /** Bytes after which a chain goes on in a new file. */
    max_bytes: z
      .number()
      .int()
      .min(1)
      .default(16 * 2 ** 20),
    /** Whether each record waits for the disk. */
    durable: z.boolean().default(true),
  })
  .prefault({});

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
    /** `line`: each is with the operating system before the call returns; `turn`: those of one turn of the event loop together. */
    flush: z.enum(['line', 'turn']).default('line'),
    /** Keys whose values are never written, besides the built-in ones. */
    redact: z.array(z.string().min(1)).default([]),
    audit,
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
  flush,
  redact,
}: LoggingConfig): LoggerOptions {
  return {
    level: level satisfies LogLevel,
    format,
    samplingRate,
    // Left out where they are as by default, so that a backend of your own may stand beside them.
    ...(flush === 'turn' && { flush }),
    ...(redact.length > 0 && { redact }),
    ...(filePath !== undefined && { filePath }),
    ...(maxBytes !== undefined && { rotate: { maxBytes, keep } }),
  };
}

/**
 * The options of `openAuditLog` that the block asks for; undefined where it is off.
 *
 * @param key what stands in `key_file`.
 */
export function auditFromConfig({ audit: block, redact }: LoggingConfig, key?: string): AuditLogOptions | undefined {
  const { enabled, folder, max_bytes: maxBytes, durable } = block;
  return enabled ? { folder, maxBytes, durable, redact, ...(key !== undefined && { key }) } : undefined;
}
