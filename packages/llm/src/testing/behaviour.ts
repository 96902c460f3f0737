import { validateHeaderName, validateHeaderValue } from 'node:http';
import { optionErrors, requireNumber, requireOption, requireWhole, type Usage } from '@sage-adk/core';
import { type ErrorName, errorNames } from './error-name.ts';
import type { RateLimits } from './wire/rate-limit-headers.ts';

/**
 * What the provider does with one request: what it answers, and what goes wrong. Every member is optional, and `undefined` takes back what a
 * behaviour below it said.
 */
export interface Behaviour {
  /** What the model says, streamed word by word; a word is a token. @default a sentence with letters of two, three and four bytes */
  readonly text?: string | undefined;
  /** What the model thinks before. OpenAI's chat completions don't show it, they only count it. */
  readonly reasoning?: string | undefined;
  /** Tools that the model wants called, after the text if there is one. Where the conversation ends with a tool's result it answers with text instead. */
  readonly toolCalls?: readonly ScriptedToolCall[] | undefined;
  /** @default 'tool-calls' with tool calls, 'length' where the request's most output tokens cut the text, else 'stop' */
  readonly finish?: AnswerFinish | undefined;
  /** Replaces what counting words gives; each provider sends it by its own arithmetic. */
  readonly usage?: Partial<Usage> | undefined;
  /** Members laid over the usage as the provider spells it, for what `usage` cannot say. */
  readonly usageFields?: Readonly<Record<string, unknown>> | undefined;
  /** Sends no usage at all. */
  readonly omitUsage?: boolean | undefined;
  /** The text of a stream begins again and again, until the client leaves or something else ends it. */
  readonly endless?: boolean | undefined;

  /** An error status, from 400 to 599, with the body that this provider sends for it. */
  readonly status?: number | undefined;
  /** An error by name, with this provider's status and body; `status` changes the status alone. */
  readonly error?: ErrorName | undefined;
  /** Header fields of the answer; they replace those of the same name. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent in the fields that this provider has for it; Gemini has none. */
  readonly rateLimits?: RateLimits | undefined;
  /** `retry-after`, OpenAI's `retry-after-ms` as well; in Gemini's 429 the `RetryInfo` of the body. */
  readonly retryAfterMs?: number | undefined;
  /** The field `x-should-retry`. */
  readonly shouldRetry?: boolean | undefined;
  readonly contentType?: string | undefined;
  /** Status and header fields as they would be, and then nothing. */
  readonly emptyBody?: boolean | undefined;

  /** Milliseconds before the status and the header fields; Infinity for never. @default 0 */
  readonly latencyMs?: number | undefined;
  /** Milliseconds before each piece of content of a stream. @default 0 */
  readonly tokenDelayMs?: number | undefined;

  /** The connection ends before any status. */
  readonly hangUp?: boolean | undefined;
  /** The connection breaks here. */
  readonly cutAfter?: BytePlace | undefined;
  /** The body ends here, in good order but too early. */
  readonly endAfter?: BytePlace | undefined;
  /** Nothing more comes from here on, and the connection stays open. */
  readonly stallAfter?: BytePlace | undefined;
  /** All was said, but the connection stays open. */
  readonly neverEnd?: boolean | undefined;
  /** While nothing more comes in a stream, a comment comes every so many milliseconds. @default never */
  readonly keepAliveMs?: number | undefined;
  /** The event here is half its JSON. */
  readonly malformedAt?: Place | undefined;
  /** The error, `overloaded` unless `error` or `status` says another, comes here as an event, after a status of 200; then the stream ends. */
  readonly errorEventAt?: Place | undefined;
  /**
   * `ending`: the other way in which some providers say it. The responses API then ends with `response.failed`, and Gemini's error follows as bare JSON
   * outside of any event, as it does where it sheds load. @default 'event'
   */
  readonly errorForm?: 'event' | 'ending' | undefined;
  /** Cuts the body every so many bytes, wherever that is: within a letter, between CR and LF, across events. @default one piece for each event */
  readonly chunkBytes?: number | undefined;
}

export type AnswerFinish = 'stop' | 'length' | 'tool-calls' | 'content-filter';

export interface ScriptedToolCall {
  readonly name: string;
  /** @default {} */
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** @default made from the number of the request */
  readonly id?: string;
}

/**
 * A place in an answer: after so many events, or after so many pieces of content (text, thought, arguments of a tool). `{ contents: 0 }` is just before
 * the first piece, after whatever the provider sends ahead of it. An answer that is not streamed is one event and one piece. A place that is never reached changes nothing.
 */
export type Place = number | { readonly contents: number };

export type BytePlace = Place | { readonly bytes: number };

/** Refuses what no behaviour can be; returns it otherwise. */
export function checkBehaviour(behaviour: Behaviour): Behaviour {
  const { status, error, latencyMs, tokenDelayMs, keepAliveMs, retryAfterMs, chunkBytes, usage } = behaviour;
  const { contentType, headers = {} } = behaviour;
  if (status !== undefined) requireWhole('status', status, 400, 599);
  if (error !== undefined)
    requireOption('error', error, `one of ${errorNames.join(', ')}`, (name) => errorNames.includes(name));
  if (latencyMs !== undefined && latencyMs !== Number.POSITIVE_INFINITY) requireNumber('latencyMs', latencyMs, 0);
  if (tokenDelayMs !== undefined) requireNumber('tokenDelayMs', tokenDelayMs, 0);
  if (keepAliveMs !== undefined) requireNumber('keepAliveMs', keepAliveMs, 1);
  if (retryAfterMs !== undefined) requireNumber('retryAfterMs', retryAfterMs, 0);
  if (chunkBytes !== undefined) requireWhole('chunkBytes', chunkBytes, 1);
  for (const name of ['cutAfter', 'endAfter', 'stallAfter', 'malformedAt', 'errorEventAt'] as const)
    checkPlace(name, behaviour[name]);
  if (usage !== undefined) checkUsage(usage);
  for (const [name, value] of Object.entries(headers)) checkHeader(`headers.${name}`, name, value);
  if (contentType !== undefined) checkHeader('contentType', 'content-type', contentType);
  return behaviour;
}

function checkPlace(option: string, place: BytePlace | undefined): void {
  if (place === undefined) return;
  if (typeof place === 'number') requireWhole(option, place, 0);
  else if ('contents' in place) requireWhole(`${option}.contents`, place.contents, 0);
  else requireWhole(`${option}.bytes`, place.bytes, 0);
}

function checkHeader(option: string, name: string, value: string): void {
  requireOption(option, value, 'a header field that can be sent', () => {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      return true;
    } catch {
      return false;
    }
  });
}

function checkUsage(usage: Partial<Usage>): void {
  for (const [name, count] of Object.entries(usage)) requireWhole(`usage.${name}`, count, 0);
  const { inputTokens, outputTokens, cachedInputTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = usage;
  requireParts('usage.inputTokens', inputTokens, cachedInputTokens + cacheWriteTokens);
  requireParts('usage.outputTokens', outputTokens, reasoningTokens);
  requireParts('usage.cacheWriteTokens', cacheWriteTokens, usage.longCacheWriteTokens ?? 0);
}

/** The parts of a count are subsets of it. */
function requireParts(option: string, whole: number | undefined, parts: number): void {
  if (whole !== undefined && whole < parts)
    throw optionErrors.INVALID_OPTION({ option, value: whole, expected: `at least the sum of its parts, ${parts}` });
}
