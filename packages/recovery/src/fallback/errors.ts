import { defineErrors, SageError } from '@sage-adk/core';
import type { AttemptRecord } from './outcome.ts';

export const fallbackErrors = defineErrors('FALLBACK', {
  NO_TARGET: {
    category: 'critical',
    status: 503,
    message: 'None of the {targets} targets of {chain} could answer. Try again later.',
  },
  PARTIAL_STREAM: {
    category: 'transient',
    status: 502,
    message:
      'The answer of {target} broke off after {chunks} chunks. Ask again for a whole one where its cause may pass.',
  },
});

/**
 * An answer that broke off, of the category of what it broke off by: what is permanent would do so again.
 *
 * @param failures that are its cause; one that may pass makes it transient
 */
export function brokeOff(
  target: string,
  chunks: number,
  cause: unknown,
  failures: readonly AttemptRecord[],
): SageError {
  const { message, code, status, details } = fallbackErrors.PARTIAL_STREAM({ target, chunks });
  const mayPass = failures.some((failure) => failure.category === 'transient');
  const category = mayPass ? 'transient' : (failures.at(-1)?.category ?? 'permanent');
  return new SageError(message, { code, category, status, details, cause });
}
