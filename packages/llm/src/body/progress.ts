import type { HeaderFields } from '@sage-adk/core';
import type { AnswerFacts } from '../providers/api.ts';
import type { Whole } from './answer-reader.ts';

/** How an answer ended. `cancelled`: whoever asked wants no more of it, or is gone; where the model was done by then it is `done`, and `isLeft`. */
export type Ending =
  | { readonly kind: 'done'; readonly isLeft?: true }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'cancelled'; readonly reason: unknown; readonly isAborted?: true };

/** A failure in the words of the provider. */
export interface Refusal {
  readonly status: number;
  readonly headers: HeaderFields;
  /** What of its body was read so far, where that is JSON. */
  readonly body?: unknown;
  /** Its body, where that is JSON and not too long. Whoever gets the answer can read it all the same. */
  read(): Promise<unknown>;
  /** Nobody will read it: the connection is free. */
  discard(): void;
}

/** Hears of a body while its consumer reads it. */
export interface Listener {
  /** The consumer gets this. The bytes are the consumer's own from here on. */
  passed(piece: Uint8Array): void;
  /** The consumer wants no more, or there is no more. @param whole all of it, where the consumer got it at once. */
  finished(whole?: Whole): void;
  /** It broke. */
  broke(error: unknown): void;
}

/** Something that can be broken off. */
export interface Guarded {
  abort(error: unknown): void;
}

/** Somebody who looks at the time. */
export interface Watch {
  /** It breaks off what it guards when this aborts. */
  readonly follows?: AbortSignal | undefined;
  /** What it ends. */
  guards(guarded: Guarded): void;
  /** No content is waited for any more: the answer is no stream, whatever was asked for, or it said its last word. */
  contentEnded(): void;
  waits(): void;
  arrived(isContent: boolean): void;
  /** Nothing comes of the try. Returns the error that says why. */
  failed(error: unknown): unknown;
  ended(): void;
}

/** An answer while it comes. It ends once. It holds on to nothing that the consumer drops to say that it will not come back. */
export interface Progress {
  /** Where the provider answered with a failure. It may change as long as the answer has not ended: a client may try again. */
  readonly refusal: Refusal | undefined;
  /** What it said of itself, so far. */
  facts(): AnswerFacts;
  /** Pieces of the answer that came in a stream. */
  readonly contents: number;
  /** Their bytes; of an answer that is no stream, the bytes of the body. */
  readonly contentBytes: number;
  /** When the first piece came, on the clock of `performance.now()`; undefined before, and where there are no pieces. */
  readonly firstContentAtMs: number | undefined;
  /** Undefined while it goes on. */
  readonly ending: Ending | undefined;
  /** Calls back at the end; at once where that was. */
  onEnd(listener: (ending: Ending) => void): void;
  /** Lets one listener hear of the body, before anybody reads it. Missing where it cannot be listened to. */
  listen?(listener: Listener): void;
}

/** Of an answer that is over, and of which no more is known. */
export function endedProgress(refusal?: Refusal): Progress {
  return {
    refusal,
    facts: () => ({}),
    contents: 0,
    contentBytes: 0,
    firstContentAtMs: undefined,
    ending: { kind: 'done' },
    onEnd: (listener) => listener({ kind: 'done' }),
  };
}
