import { current, type LlmCallMark } from '@sage-adk/core';
import type { Progress } from './body/progress.ts';

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
  readonly signal: AbortSignal | undefined;
  /** The call that a layer around is making already: this one is a try of it. */
  readonly outer: LlmCallMark | undefined;
  /** Tokens of the input, as far as they can be known before; undefined where the input cannot be read. */
  estimateInput(): number | undefined;
  /** Set by the step that reports the call. */
  readonly report?: CallReport;
}

/** The report of a call, for the steps inside of it. */
export interface CallReport {
  /** Whose call it is in the end: that of the outermost layer. */
  readonly mark: LlmCallMark;
  /** The call really goes out, within `run`. */
  begin<T>(run: () => T): T;
}

/** What came of a call. The answer itself may still be on its way. */
export interface LlmAnswer<R> {
  readonly result: R;
  readonly progress: Progress;
  /** The provider's status where it is one of failure. */
  readonly refusal?: Refusal;
}

/** A failure in the words of the provider. */
export interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  /** JSON, where it was read already. */
  readonly body?: unknown;
}

/** The mark of the call that is being made around here. */
export function openMark(): LlmCallMark | undefined {
  const mark = current()?.llmCall;
  return mark?.open === true ? mark : undefined;
}
