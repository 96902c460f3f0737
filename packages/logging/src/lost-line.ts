import { textOf } from './serialise/readable.ts';

/** Tells that lines are lost, on the way that is left. */
export function warnOfLostLine(error: unknown): void {
  process.emitWarning(`A log line is lost: ${textOf(error)}`, { code: 'SAGE_LOGGING_LINE_LOST' });
}
