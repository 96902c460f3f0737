import type { Category, Outcome } from '../outcome.ts';
import { shared } from '../shared.ts';
import { isSageError } from './sage-error.ts';

/** What an error means for the record of an operation. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly category: Category | undefined;
  readonly code: string | undefined;
}

const transientCodes = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * A coarse reading of any error: its own word if it is a SageError, else what an abort, a timeout, an HTTP status or a socket code tells.
 * The thorough reading is `@sage-adk/recovery`'s classifier. Never throws.
 */
export function verdictOf(error: unknown, signal?: AbortSignal): Verdict {
  try {
    return readVerdict(error, signal);
  } catch {
    // An error whose members throw, such as a proxy, tells nothing of itself.
    const isGivenUp = signal?.aborted === true && error === signal.reason;
    return { outcome: isGivenUp ? 'cancelled' : 'error', category: isGivenUp ? undefined : 'unknown', code: undefined };
  }
}

function readVerdict(error: unknown, signal: AbortSignal | undefined): Verdict {
  if (isSageError(error)) {
    const { category, outcome, code } = error;
    return {
      outcome,
      category: category === 'cancelled' ? undefined : category,
      code: shared.codes.has(code) ? code : undefined,
    };
  }
  const { name, code, status } = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown;
    code?: unknown;
    status?: unknown;
  };
  if (name === 'TimeoutError') return { outcome: 'timeout', category: 'transient', code: undefined };
  if (name === 'AbortError' || (signal?.aborted && error === signal.reason)) {
    const ranOut = (signal?.reason as { name?: unknown } | undefined)?.name === 'TimeoutError';
    return { outcome: ranOut ? 'timeout' : 'cancelled', category: undefined, code: undefined };
  }
  const transient = transientCodes.has(code as string) || isTransientStatus(status);
  return {
    outcome: 'error',
    category: transient ? 'transient' : isClientStatus(status) ? 'permanent' : 'unknown',
    code: undefined,
  };
}

function isTransientStatus(status: unknown): boolean {
  return typeof status === 'number' && (status === 408 || status === 429 || (status >= 500 && status <= 599));
}

function isClientStatus(status: unknown): boolean {
  return typeof status === 'number' && status >= 400 && status <= 499;
}
