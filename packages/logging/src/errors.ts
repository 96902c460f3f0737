import { defineErrors } from '@sage-adk/core';

/** Errors of this package. Only making a logger throws; writing a line never does. */
export const errors = defineErrors('LOGGING', {
  FILE_NOT_OPENED: {
    category: 'permanent',
    status: 500,
    message:
      'The log file {path} cannot be opened ({reason}). Create its folder, allow writing to it, or name another file.',
  },
  AUDIT_NOT_WRITTEN: {
    category: 'critical',
    status: 500,
    message:
      'The audit chain {chain} cannot take a record ({reason}). Refuse the action, or free the disk and try again.',
  },
  OUTPUT_STALLED: {
    category: 'transient',
    status: 503,
    message: 'The log output took nothing for {waitedMs} ms; lines are lost until it does.',
  },
});

/** What `open` returns. @throws SAGE_LOGGING_FILE_NOT_OPENED with what the operating system says of `path` */
export function tryOpen<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    throw errors.FILE_NOT_OPENED({ path, reason: (cause as NodeJS.ErrnoException).code ?? String(cause) }, { cause });
  }
}
