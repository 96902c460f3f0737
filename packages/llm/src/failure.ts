/** How a call failed, in words that its record can carry. */
import { isSageError, type OpenOperation, parseRetryAfter, type SageError, verdictOf } from '@sage-adk/core';
import type { LlmCall } from './call.ts';
import { errors } from './errors.ts';

/** What a response says that is not a success. */
export function refusalOf({ status, headers }: Response, provider: string): SageError {
  const options = { retryAfterMs: parseRetryAfter(headers) };
  if (status === 429) return errors.RATE_LIMITED({ provider, status }, options);
  if (status === 408 || status >= 500) return errors.UNAVAILABLE({ provider, status }, options);
  return errors.REFUSED({ provider, status }, options);
}

/** Ends the operation of a call that threw, before or while its body was read. */
export function endFailed(operation: OpenOperation, call: LlmCall, provider: string, error: unknown): void {
  const isFailure = verdictOf(error).outcome === 'error';
  if (isFailure && signalOf(call)?.aborted === true) {
    // Aborted with a reason of the caller's own.
    operation.settle('cancelled', error);
    operation.end();
  } else if (isFailure && isOfConnection(error)) {
    operation.fail(errors.UNREACHABLE({ provider }, { cause: error }));
  } else {
    operation.fail(error);
  }
}

/** Errors of a connection carry a code, themselves or in the cause that fetch gives. */
function isOfConnection(error: unknown): boolean {
  if (isSageError(error) || typeof error !== 'object' || error === null) return false;
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } | null };
  return typeof code === 'string' || typeof cause?.code === 'string';
}

function signalOf({ input, init }: LlmCall): AbortSignal | null | undefined {
  return init?.signal ?? (typeof input === 'object' && 'signal' in input ? input.signal : undefined);
}
