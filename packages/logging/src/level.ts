import { requireOption } from '@sage-adk/core';
import type { EventEntry } from '@sage-adk/core/catalogue';

/** How much a line matters, in rising order DEBUG, INFO, WARN, ERROR, FATAL. */
export type LogLevel = EventEntry['level'];

/**
 * The numbers of the OpenTelemetry log data model; a higher one matters more.
 *
 * @see https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
 */
export const severityOf: Readonly<Record<LogLevel, number>> = { DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17, FATAL: 21 };

export const levels = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const satisfies readonly LogLevel[];

/** The level that matters more. */
export function higherLevel(a: LogLevel, b: LogLevel): LogLevel {
  return severityOf[a] >= severityOf[b] ? a : b;
}

/** Refuses what is no level. */
export function requireLevel(level: LogLevel): LogLevel {
  return requireOption('level', level, levels.join(', '), (value) => levels.includes(value));
}
