/** How a call failed: in words that its record can carry, and in those that policies read. */
import { type HeaderFields, isSageError, parseRetryAfter, type SageError } from '@sage-adk/core';
import { parseJson } from './body/json-text.ts';
import { errors } from './errors.ts';
import { memberOf, textOf } from './providers/usage.ts';

/** A failure that a provider answered with, in the spelling that SDKs throw and classifiers read. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly status: number;
  readonly headers: HeaderFields;
  /** A word of the provider, such as `insufficient_quota`. */
  readonly code: string | undefined;
  readonly type: string | undefined;
  /** As the provider said it. */
  readonly error: unknown;

  constructor(provider: string, { status, headers, body }: Failure) {
    const error = errorIn(body);
    const said = textOf(error, 'message');
    super(`The provider "${provider}" answered ${status}${said === undefined ? '.' : `: ${said}`}`);
    this.status = status;
    this.headers = headers;
    this.code = textOf(error, 'code') ?? textOf(error, 'status');
    this.type = textOf(error, 'type');
    this.error = error;
  }
}

export interface Failure {
  readonly status: number;
  readonly headers: HeaderFields;
  /** JSON, where it is known and is any. */
  readonly body?: unknown;
}

/** What a failure of a provider means for the record of the call. */
export function refusalOf({ status, headers, body }: Failure, provider: string, cause?: unknown): SageError {
  const options = { retryAfterMs: parseRetryAfter(headers) ?? delayIn(body), cause };
  if (status === 402 || (status === 429 && isQuota(errorIn(body)))) return errors.QUOTA({ provider, status }, options);
  if (status === 429) return errors.RATE_LIMITED({ provider, status }, options);
  if (status === 408 || status >= 500) return errors.UNAVAILABLE({ provider, status }, options);
  return errors.REFUSED({ provider, status }, options);
}

/** What an error that was thrown means for the record of the call. */
export function recordable(error: unknown, provider: string): unknown {
  if (error instanceof ProviderError) {
    return refusalOf({ status: error.status, headers: error.headers, body: error }, provider);
  }
  return isOfConnection(error) ? errors.UNREACHABLE({ provider }, { cause: error }) : error;
}

/** An error that came within a stream, after a status of success. */
export interface InBandError {
  /** The status that the provider would have answered with. */
  readonly status: number;
  /** The body that it would have sent. */
  readonly body: { readonly type: 'error'; readonly error: unknown };
}

/** @param data JSON text with a character for each byte. */
export function inBandError(data: string): InBandError {
  const json = parseJson(Buffer.from(data, 'latin1').toString());
  const response = memberOf(json, 'response');
  // The responses API says it in the event itself, in a member, or in the response that failed.
  const error = memberOf(json, 'error') ?? memberOf(response, 'error') ?? json ?? { message: data };
  return { status: statusOf(error), body: { type: 'error', error } };
}

/** Statuses of the words that providers use for errors, in the order in which they are looked for. */
const statusByWord: readonly (readonly [RegExp, number])[] = [
  [/overloaded/i, 529],
  [/rate_?limit|quota|exhausted|too_many/i, 429],
  [/billing/i, 402],
  [/auth|api_key|credential/i, 401],
  [/permission|forbidden/i, 403],
  [/not_?found/i, 404],
  [/too_large/i, 413],
  [/invalid|context_length|content_(?:filter|policy)|unsupported|failed_precondition/i, 400],
  [/timeout|deadline/i, 504],
  [/unavailable/i, 503],
];

function statusOf(error: unknown): number {
  for (const name of ['code', 'status']) {
    const said = Number(memberOf(error, name));
    if (said >= 400 && said <= 599) return Math.floor(said);
  }
  const words = ['code', 'type', 'status'].flatMap((name) => textOf(error, name) ?? []);
  for (const word of words) {
    const found = statusByWord.find(([pattern]) => pattern.test(word));
    if (found !== undefined) return found[1];
  }
  return 500;
}

function errorIn(body: unknown): unknown {
  return memberOf(body, 'error') ?? body;
}

/** Waiting does not help where the credit is used up, or the quota of a day. */
function isQuota(error: unknown): boolean {
  const words = ['code', 'type'].map((name) => textOf(error, name) ?? '');
  return words.some((word) => /insufficient_quota|billing/.test(word)) || detailsIn(error).some(isOfDay);
}

/** @see https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto */
function isOfDay(detail: unknown): boolean {
  const violations = memberOf(detail, 'violations');
  return Array.isArray(violations) && violations.some((one) => textOf(one, 'quotaId')?.includes('PerDay') === true);
}

/** Milliseconds that Google asks to wait. */
function delayIn(body: unknown): number | undefined {
  for (const detail of detailsIn(errorIn(body))) {
    const seconds = /^\d+(?:\.\d+)?(?=s$)/.exec(textOf(detail, 'retryDelay') ?? '')?.[0];
    if (seconds !== undefined) return Number(seconds) * 1_000;
  }
  return undefined;
}

function detailsIn(error: unknown): readonly unknown[] {
  const details = memberOf(error, 'details');
  return Array.isArray(details) ? details : [];
}

/** Errors of a connection carry a code, themselves or in the cause that fetch gives. */
function isOfConnection(error: unknown): boolean {
  if (isSageError(error) || typeof error !== 'object' || error === null) return false;
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } | null };
  return typeof code === 'string' || typeof cause?.code === 'string';
}
