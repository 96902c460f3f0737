import type { HeaderFields } from '@sage-adk/core';
import { type Answered, answeredOf } from './answered.ts';
import { asBag, type Bag, numberAt, textAt } from './bag.ts';

/** What can be read off an error without knowing its class: SDKs wrap what happened in one or two more errors. */
export interface ErrorFacts {
  /** The error's name; where that is only `Error`, the name of its class. */
  readonly name: string;
  readonly message: string;
  /** The message of the deepest cause; the error's own where it has none. */
  readonly root: string;
  /** A code in words, of this error or the nearest cause that has one: `ECONNRESET`, `insufficient_quota`. Numbers are DOMException's and say nothing. */
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly headers: HeaderFields | undefined;
  /** What the other side said in the body of its answer. */
  readonly answered: Answered | undefined;
  /** Where a PostgreSQL driver says that the code is the server's. */
  readonly sqlState: string | undefined;
  /** A code of JSON-RPC 2.0, from -32768 to -32000. */
  readonly rpcCode: number | undefined;
}

// Deep enough for every SDK seen, and an end to a cause that names itself.
export const deepestCause = 5;

export function factsOf(error: unknown): ErrorFacts {
  const chain = causesOf(error);
  const first = chain[0];
  const message = textAt(first, 'message') ?? (typeof error === 'string' ? error : '');
  const answered = firstOf(chain, answeredOf);
  return {
    name: first === undefined ? '' : nameOf(first),
    message,
    root: textAt(chain.at(-1), 'message') ?? '',
    code: firstOf(chain, (one) => textAt(one, 'code') ?? textAt(one, 'type')),
    status: firstOf(chain, statusOf) ?? statusIn(message),
    headers: firstOf(chain, headersAt),
    answered,
    sqlState: firstOf(chain, sqlStateOf),
    rpcCode: firstOf(chain, rpcCodeOf),
  };
}

/** The error, then its causes; the AI SDK keeps what it gave up on as `lastError`. */
function causesOf(error: unknown): readonly Bag[] {
  const chain: Bag[] = [];
  let one = asBag(error);
  while (one !== undefined && chain.length < deepestCause) {
    chain.push(one);
    one = asBag(one['cause']) ?? asBag(one['lastError']);
  }
  return chain;
}

function nameOf(error: Bag): string {
  const name = textAt(error, 'name') ?? 'Error';
  const ofClass = (error['constructor'] as { readonly name?: unknown } | null | undefined)?.name;
  return name === 'Error' && typeof ofClass === 'string' ? ofClass : name;
}

function firstOf<T>(chain: readonly Bag[], read: (one: Bag) => T | undefined): T | undefined {
  for (const one of chain) {
    const value = read(one);
    if (value !== undefined) return value;
  }
  return undefined;
}

function statusOf(error: Bag): number | undefined {
  return statusAt(error, 'status') ?? statusAt(error, 'statusCode');
}

function statusAt(bag: Bag, key: string): number | undefined {
  const value = numberAt(bag, key);
  // A success is the status of a stream that failed later.
  return value !== undefined && value >= 400 && value <= 599 ? value : undefined;
}

// A2A's JSON-RPC client has no member for it.
function statusIn(message: string): number | undefined {
  const digits = /^HTTP error\b.*\bStatus: ([45]\d\d)\b/.exec(message)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function headersAt(bag: Bag): HeaderFields | undefined {
  const headers = bag['headers'] ?? bag['responseHeaders'] ?? asBag(bag['response'])?.['headers'];
  return typeof headers === 'object' && headers !== null ? (headers as HeaderFields) : undefined;
}

function sqlStateOf(error: Bag): string | undefined {
  const code = textAt(error, 'code');
  const isOfServer = textAt(error, 'severity') !== undefined && code !== undefined && /^[0-9A-Z]{5}$/.test(code);
  return isOfServer ? code : undefined;
}

function rpcCodeOf(error: Bag): number | undefined {
  const code = numberAt(error, 'envelopeCode') ?? numberAt(error, 'code');
  return code !== undefined && code >= -32_768 && code <= -32_000 ? code : undefined;
}
