import type { Caller } from '../caller.ts';
import type { AnswerReader } from './answer-reader.ts';
import type { Watch } from './progress.ts';

export interface ExchangeOptions<P> {
  /** Null where there is none. */
  readonly body: ReadableStream<P> | null;
  readonly reader: AnswerReader<P>;
  /** Whoever asked gives up. */
  readonly signal?: AbortSignal | undefined;
  readonly caller?: Caller | undefined;
  /** Is told when the body is waited for and when pieces of the answer came. */
  readonly watch?: Watch | undefined;
  /** What an answer that was cut short, cannot be read or is an error fails with. */
  readonly failure: (kind: FailureKind) => unknown;
}

/** It ended before it was whole; the client cannot read it; the provider says in it what went wrong. */
export type FailureKind = 'incomplete' | 'malformed' | 'problem';
