/** What a caller hears where the call never went out: an answer, as a provider would give it, so that every SDK understands. */
import { isSageError, type LlmCallMark, type SageError } from '@sage-adk/core';
import { openMark } from '../call.ts';
import { errors } from '../errors.ts';
import { secondsOf } from './denial.ts';

/** The body of such an answer. The numbers are there where a limit said no. */
export interface LocalBody {
  readonly error: 'rate_limit_exceeded' | 'rate_limit_never_allowed' | 'price_unknown' | 'provider_resting';
  readonly message: string;
  /** Seconds. Missing where waiting cannot help. */
  readonly retry_after?: number;
  readonly limit?: number;
  readonly remaining?: number;
  /** Unix time in seconds. */
  readonly reset?: number;
}

const names: Readonly<Record<string, LocalBody['error']>> = {
  [errors.LIMITED.code]: 'rate_limit_exceeded',
  [errors.NEVER_ALLOWED.code]: 'rate_limit_never_allowed',
  [errors.PRICE_UNKNOWN.code]: 'price_unknown',
  [errors.RESTING.code]: 'provider_resting',
};

/** The answer that says what an error of this package means; undefined for any other error. It tells SDKs not to try again: the limits are near by. */
export function localAnswer(error: unknown): Response | undefined {
  if (!isSageError(error)) return undefined;
  const name = names[error.code];
  if (name === undefined) return undefined;
  const { status, message, retryAfterMs } = error;
  const numbers = numbersOf(error);
  const wait = retryAfterMs === undefined ? undefined : secondsOf(retryAfterMs);
  const body: LocalBody = { error: name, message, ...(wait !== undefined && { retry_after: wait }), ...numbers };
  const headers = new Headers({ 'content-type': 'application/json', 'x-should-retry': 'false' });
  if (wait !== undefined) headers.set('retry-after', String(wait));
  for (const [field, value] of Object.entries(numbers)) headers.set(`x-ratelimit-${field}`, String(value));
  // Where an SDK does not know the body, it shows this.
  const statusText = message.replaceAll(/[^ -~]/g, '?');
  const response = new Response(JSON.stringify(body), { status, statusText, headers });
  local.set(response, error);
  return response;
}

/** The error that a layer inside made this answer of; undefined for an answer that came from elsewhere. */
export function localErrorOf(response: Response): SageError | undefined {
  return local.get(response);
}

const local = new WeakMap<Response, SageError>();

/** Tells the layer around, which may get no more than what an SDK makes of the answer. */
export function tellOuter(error: unknown): void {
  const mark = openMark();
  if (mark !== undefined && isSageError(error)) denied.set(mark, error);
}

/** The denial of a layer inside of the call that this is the mark of. */
export function denialWithin(mark: LlmCallMark): SageError | undefined {
  return denied.get(mark);
}

/** Another try is made: what was denied before says nothing of it. */
export function forgetDenial(mark: LlmCallMark): void {
  denied.delete(mark);
}

const denied = new WeakMap<LlmCallMark, SageError>();

function numbersOf({ details }: SageError): Pick<LocalBody, 'limit' | 'remaining' | 'reset'> {
  const { limit, remaining, resetAtMs } = details;
  if (typeof limit !== 'number' || typeof remaining !== 'number' || typeof resetAtMs !== 'number') return {};
  return { limit, remaining, reset: Math.ceil(resetAtMs / 1_000) };
}
