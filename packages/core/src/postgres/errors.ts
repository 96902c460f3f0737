import { defineErrors } from '../errors/define-errors.ts';
import { isSageError, type SageError } from '../errors/sage-error.ts';

export const postgresErrors = defineErrors('POSTGRES', {
  DEADLINE: {
    category: 'transient',
    outcome: 'timeout',
    status: 503,
    message: 'PostgreSQL did not answer within {deadlineMs} ms; whether the statement took effect is unknown.',
  },
  UNAVAILABLE: { category: 'transient', status: 503, message: 'PostgreSQL cannot be used now: {reason}' },
  CONFLICT: {
    category: 'transient',
    status: 503,
    message: 'Another transaction was in the way ({reason}); nothing was changed, run it again.',
  },
  QUERY_FAILED: {
    category: 'permanent',
    status: 500,
    message: 'PostgreSQL refused a statement ({sqlState}): {reason}',
  },
  MIGRATION_CHANGED: {
    category: 'permanent',
    status: 500,
    message:
      'Migration {id} of {packageName} is not the one that was applied: its checksum is {checksum} and was {recorded}. Restore it and write a new one.',
  },
  MIGRATION_OUT_OF_ORDER: {
    category: 'permanent',
    status: 500,
    message:
      'Migration {id} of {packageName} is not applied but {later}, which comes after it, is. Append new ones at the end.',
  },
  MIGRATION_FAILED: {
    category: 'permanent',
    status: 500,
    message: 'Migration {id} of {packageName} failed and nothing was changed: {reason}',
  },
});

/**
 * The error of the table for whatever a driver threw, which stays its cause. An error of ours stays itself.
 *
 * @param sent whether the statement was on a connection: what came of it is not known then, if the server did not say it, and `details.sent` is true.
 */
export function toPostgresError(error: unknown, sent = false): SageError {
  if (isSageError(error)) return error;
  const { code, severity, message } = (typeof error === 'object' && error !== null ? error : {}) as DriverError;
  const reason =
    typeof message === 'string' && message !== '' ? message : typeof code === 'string' ? code : String(error);
  // Only what the server sent has a severity and an SQLSTATE; the rest comes from the socket, the pool or the driver.
  const sqlState = typeof severity === 'string' && typeof code === 'string' ? code : undefined;
  if (sqlState === undefined && !(error instanceof TypeError) && !misuse.has(code)) {
    return postgresErrors.UNAVAILABLE({ reason, ...(sent && { sent }) }, { cause: error });
  }
  if (sqlState?.startsWith('40')) return postgresErrors.CONFLICT({ reason, sqlState }, { cause: error });
  if (sqlState !== undefined && isUnavailable(sqlState)) {
    return postgresErrors.UNAVAILABLE({ reason, sqlState }, { cause: error });
  }
  return postgresErrors.QUERY_FAILED({ sqlState: sqlState ?? 'not sent', reason }, { cause: error });
}

interface DriverError {
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly message?: unknown;
}

/** What postgres.js refuses to send. */
const misuse = new Set<unknown>(['UNDEFINED_VALUE', 'MAX_PARAMETERS_EXCEEDED', 'INVALID_TRANSFORM']);

// Connection, resources, operator intervention, system, and a lock that was not waited for.
// See https://www.postgresql.org/docs/current/errcodes-appendix.html
function isUnavailable(sqlState: string): boolean {
  return /^(08|53|57|58)/.test(sqlState) || sqlState === '55P03' || sqlState === '25006';
}
