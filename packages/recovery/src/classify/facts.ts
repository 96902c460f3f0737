import type { HeaderFields } from '@sage-adk/core';

/** What can be read off an error without knowing its class: SDKs wrap what happened in one or two more errors. */
export interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  /** The message of the deepest cause; the error's own where it has none. */
  readonly root: string;
  /** A code in words, of this error or the nearest cause that has one: `ECONNRESET`, `insufficient_quota`. Numbers are DOMException's and say nothing. */
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly headers: HeaderFields | undefined;
}

// Deep enough for every SDK seen, and an end to a cause that names itself.
const deepestCause = 5;

export function factsOf(error: unknown): ErrorFacts {
  const chain = causesOf(error);
  const first = chain[0];
  return {
    name: textAt(first, 'name') ?? '',
    message: textAt(first, 'message') ?? (typeof error === 'string' ? error : ''),
    root: textAt(chain.at(-1), 'message') ?? '',
    code: firstOf(chain, (one) => textAt(one, 'code') ?? textAt(one, 'type')),
    status: firstOf(chain, (one) => statusAt(one, 'status') ?? statusAt(one, 'statusCode')),
    headers: firstOf(chain, headersAt),
  };
}

type Bag = Readonly<Record<string, unknown>>;

function causesOf(error: unknown): readonly Bag[] {
  const chain: Bag[] = [];
  for (
    let one = error;
    typeof one === 'object' && one !== null && chain.length < deepestCause;
    one = (one as Bag)['cause']
  )
    chain.push(one as Bag);
  return chain;
}

function firstOf<T>(chain: readonly Bag[], read: (one: Bag) => T | undefined): T | undefined {
  for (const one of chain) {
    const value = read(one);
    if (value !== undefined) return value;
  }
  return undefined;
}

function textAt(bag: Bag | undefined, key: string): string | undefined {
  const value = bag?.[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function statusAt(bag: Bag, key: string): number | undefined {
  const value = bag[key];
  return typeof value === 'number' && value >= 100 && value <= 599 ? value : undefined;
}

function headersAt(bag: Bag): HeaderFields | undefined {
  const response = bag['response'] as Bag | undefined;
  const headers = bag['headers'] ?? bag['responseHeaders'] ?? response?.['headers'];
  return typeof headers === 'object' && headers !== null ? (headers as HeaderFields) : undefined;
}
