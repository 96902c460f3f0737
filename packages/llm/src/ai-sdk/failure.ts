/** Errors of the AI SDK as the failures that they stand for. */
import { headerOf, isSageError } from '@sage-adk/core';
import { parseJson } from '../body/json-text.ts';
import { endedProgress, type Progress, type Refusal } from '../body/progress.ts';
import { errors } from '../errors.ts';
import { inBandError, recordable, refusalOf } from '../failure.ts';
import { memberOf, textOf } from '../providers/usage.ts';

/** The provider's answer that an error stands for; undefined where it is none, such as a lost connection. */
export function refusalIn(error: unknown): Refusal | undefined {
  const status = memberOf(error, 'statusCode');
  if (typeof status !== 'number' || status < 400) return undefined;
  const body = memberOf(error, 'data') ?? parseJson(textOf(error, 'responseBody'));
  return { status, headers: headersIn(error), body, read: async () => body, discard() {} };
}

/** What an error of the SDK is in the words of this package, with it as the cause; what says nothing of a provider stays as it is. */
export function failureOf(error: unknown, provider: string): unknown {
  if (isSageError(error)) return error;
  const status = memberOf(error, 'statusCode');
  if (typeof status === 'number' && status >= 400) {
    const body = memberOf(error, 'data') ?? parseJson(textOf(error, 'responseBody'));
    return refusalOf({ status, headers: headersIn(error), body }, provider, error);
  }
  // An error within a stream, after its first content: whatever the provider calls it.
  if (isPlain(error) || typeof error === 'string') {
    const { status: said, body } = inBandError(latin1(typeof error === 'string' ? { message: error } : error));
    return refusalOf({ status: said, headers: {}, body }, provider, error);
  }
  // The SDK wraps what `fetch` threw, which may be wrapped as well.
  for (let one: unknown = error, depth = 0; one !== undefined && depth < 4; one = memberOf(one, 'cause'), depth++) {
    if (isSageError(one)) return one;
    const told = recordable(one, provider);
    if (told !== one) return told;
  }
  return unreadable(error, provider) ?? error;
}

/** An answer of which the SDK could make nothing. */
function unreadable(error: unknown, provider: string): unknown {
  const name = textOf(error, 'name') ?? '';
  if (name === 'AI_InvalidResponseDataError') return errors.INCOMPLETE({ provider }, { cause: error });
  const isOfAnswer = /^AI_(?:APICallError|JSONParseError|TypeValidationError|EmptyResponseBodyError)$/.test(name);
  return isOfAnswer ? errors.MALFORMED({ provider }, { cause: error }) : undefined;
}

/** The answer that a provider would have given, had it known in time what it said within its stream. */
export function refusalInStream(error: unknown): Refusal {
  const said = refusalIn(error);
  if (said !== undefined) return said;
  const value = error instanceof Error ? Object.assign({ message: error.message }, error) : error;
  const { status, body } = inBandError(latin1(value));
  return { status, headers: {}, read: async () => body, discard() {} };
}

/** An answer that is a failure. To the client it is an error, and nothing tells whether it will try again. */
export function failedProgress(refusal: Refusal): Progress {
  const progress = endedProgress(refusal);
  return { ...progress, onEnd: (listener) => listener({ kind: 'cancelled', reason: undefined }) };
}

/** Whether a layer inside says that trying again is of no use. The SDK does not look at this field. */
export function isLast(error: unknown): boolean {
  return headerOf(headersIn(error), 'x-should-retry') === 'false';
}

/** Whether the SDK may try again: it does after these errors alone. What came within a stream is none of them, whatever it says of itself. */
export function mayFollow(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || memberOf(error, 'isRetryable') !== true) return false;
  return retriable.some((mark) => mark in error);
}

const retriable = ['vercel.ai.error.AI_APICallError', 'vercel.ai.gateway.error'].map((name) => Symbol.for(name));

/** The same error, by which the SDK does not try again. */
export function asLast(error: unknown): unknown {
  if (memberOf(error, 'isRetryable') === true) {
    Object.defineProperty(error, 'isRetryable', { value: false, enumerable: true, configurable: true, writable: true });
  }
  return error;
}

/** The SDK waits 2 seconds, then twice as long each time, or as long as the provider says, up to a minute. */
export function sdkDelayMs(tries: number, toldMs?: number): number {
  return toldMs !== undefined && toldMs < 60_000 ? toldMs : 2_000 * 2 ** (tries - 1);
}

function headersIn(error: unknown): Record<string, string> {
  const headers = memberOf(error, 'responseHeaders');
  return typeof headers === 'object' && headers !== null ? (headers as Record<string, string>) : {};
}

/** JSON with a character for each byte. */
function latin1(value: unknown): string {
  return Buffer.from(JSON.stringify(value) ?? 'null').toString('latin1');
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Error) return false;
  // An error of another realm, as fetch throws within a sandbox, is no instance of ours.
  return Object.prototype.toString.call(value) !== '[object Error]';
}
