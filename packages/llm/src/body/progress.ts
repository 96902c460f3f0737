import type { AnswerFacts } from '../providers/api.ts';

/** How an answer ended. `cancelled`: whoever asked wants no more of it, or is gone. */
export type Ending =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'cancelled'; readonly reason: unknown };

/** An answer while it comes. It ends once. */
export interface Progress {
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
}
