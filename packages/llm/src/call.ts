import { current, type LlmCallMark } from '@sage-adk/core';
import type { Progress, Watch } from './body/progress.ts';
import type { Caller } from './caller.ts';

/** `fetch`, as every SDK asks for it. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** A call of a model on its way through the steps. Each hands it on, as it is or changed. */
export interface LlmCall {
  /** As it is reported and priced. */
  readonly provider: string;
  /** Bounded, for labels. */
  readonly api: string;
  /** `unknown` where neither the path nor a body in text names it. */
  readonly model: string;
  readonly stream: boolean;
  /** Aborts when whoever asked gives up. */
  readonly signal: AbortSignal | undefined;
  /** Whose signal that is, where the context has one: whatever of the call goes on holds it. */
  readonly caller?: Caller | undefined;
  /** The call that a layer around is making already: this one is a try of it. */
  readonly outer: LlmCallMark | undefined;
  /** Tokens of the input, as far as they can be known before; undefined where the input cannot be read. */
  estimateInput(): number | undefined;
  /** Whether the input may be written to the provider's cache, which can cost more than reading it plainly. */
  mayWriteCache(): boolean;
  /** Whether what is written there may be kept for an hour, which can cost more still. Missing: it may. */
  mayWriteLongCache?(): boolean;
  /** Whether the provider makes the answer whole though nobody waits for it. Missing: no. */
  goesOn?(): boolean;
  /** Most output tokens of one answer; undefined where the request names none. 0 where the API has no output. */
  readonly maxOutputTokens: number | undefined;
  /** Output tokens that are for thoughts alone, on top of those of an answer. Missing: 0. */
  readonly thinkingTokens?: number | undefined;
  /** Fewer output tokens the provider refuses. Missing: 1. */
  readonly leastOutputTokens?: number | undefined;
  /** Answers that are asked for at once. */
  readonly choices: number;
  /** Whether it can be sent a second time. */
  readonly repeatable: boolean;
  /** Set by the step that reports the call, in the call itself: it is the first of them. */
  report?: CallReport | undefined;
  /**
   * Set by the step that reserves: whoever tries again asks it first, since tries that came to nothing may have used up what was reserved.
   * Resolves with the most output tokens of the next try.
   */
  readonly renew?: (() => Promise<number | undefined>) | undefined;
  /** Set by the step that looks at the time. */
  readonly watch?: Watch | undefined;
  /** Ends this try alone; of a step that tries again or that looks at the time. */
  readonly attemptSignal?: AbortSignal | undefined;
}

/** The report of a call, for the steps inside of it. */
export interface CallReport {
  /** Whose call it is in the end: that of the outermost layer. */
  readonly mark: LlmCallMark;
  /** Tries that came to nothing, but that the provider may bill all the same: it was answering, or nobody waited for it any more. */
  lost: number;
  /** Whether what came of it cost nothing: it came from an earlier call. */
  readonly isFree: boolean;
  /** It came from an earlier call. */
  free(): void;
  /** The client got an earlier answer, but the call goes on: how it ends. */
  goesOn(progress: Progress): void;
  /** Nothing came of it. */
  failed(error: unknown): void;
  /** Whether fewer output tokens were granted than it asked for. */
  isClamped: boolean;
  /** From here on this is done, so that layers inside leave it to this one. */
  does(step: string): void;
  /** The call really goes out, within `run`. */
  begin<T>(run: () => T): T;
}

/** What came of a call. The answer itself may still be on its way. */
export interface LlmAnswer<R> {
  readonly result: R;
  readonly progress: Progress;
}

/** The mark of the call that is being made around here. */
export function openMark(context = current()): LlmCallMark | undefined {
  const mark = context?.llmCall;
  return mark?.open === true ? mark : undefined;
}
