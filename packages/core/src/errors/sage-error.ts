import type { Category, Outcome } from '../outcome.ts';

/** What an error says of itself: whether trying again can help, or that the caller no longer wants the answer. */
export type ErrorCategory = Exclude<Category, 'unknown'> | 'cancelled';

/** Values for the placeholders of the message and whatever else a reader of the error needs. Never secrets. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

export interface SageErrorFields {
  /** `SAGE_<PACKAGE>_<NAME>`, unique and stable. */
  readonly code: string;
  readonly category: ErrorCategory;
  /** @default 'cancelled' for the category cancelled, else 'error' */
  readonly outcome?: Outcome;
  /** The HTTP status that fits. */
  readonly status: number;
  /** Milliseconds to wait before another try. */
  readonly retryAfterMs?: number | undefined;
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

const brand = Symbol.for('@sage-adk/error');

/**
 * Every error that this project throws. Recognise one with {@link isSageError}, not with `instanceof`: two copies of core have two classes.
 */
export class SageError extends Error {
  override readonly name = 'SageError';
  readonly code: string;
  readonly category: ErrorCategory;
  readonly outcome: Outcome;
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly details: ErrorDetails;
  readonly [brand] = true;

  constructor(
    message: string,
    { code, category, outcome, status, retryAfterMs, details = {}, cause }: SageErrorFields,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.category = category;
    this.outcome = outcome ?? (category === 'cancelled' ? 'cancelled' : 'error');
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.details = details;
  }
}

/** Whether `error` is a {@link SageError} of any copy of core, and has `code` where one is given. */
export function isSageError(error: unknown, code?: string): error is SageError {
  if (typeof error !== 'object' || error === null || (error as { [brand]?: unknown })[brand] !== true) return false;
  return code === undefined || (error as SageError).code === code;
}
