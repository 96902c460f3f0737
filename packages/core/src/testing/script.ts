import type { LlmFinish, LlmMessage, LlmRequest, LlmToolCall, Usage } from '../contracts/llm.ts';

/** What a scripted model answers, and when. The first rule that fits is taken. */
export interface ScriptRule {
  /** The last user message contains this text (case ignored) or matches this expression, or the function says so. @default always */
  readonly when?: string | RegExp | ((request: LlmRequest) => boolean);
  readonly answer:
    | string
    | ScriptedAnswer
    | ((request: LlmRequest, call: ScriptCall) => AnswerNow | Promise<AnswerNow>);
  /** How often the rule may answer before it is used up. @default without end */
  readonly times?: number;
}

/** An answer that is known now: plain text, or text with everything around it. */
export type AnswerNow = string | ScriptedAnswer;

/** What an answering function learns beside the request, whose `messages` hold the whole conversation. */
export interface ScriptCall {
  /** Of the rule's regular expression. */
  readonly match: RegExpExecArray | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface ScriptedAnswer {
  /** Streamed word by word. */
  readonly text?: string;
  /** Streamed piece by piece, instead of `text`. */
  readonly pieces?: readonly string[];
  readonly toolCalls?: readonly LlmToolCall[];
  /** @default 'tool-calls' with tool calls, 'length' where `maxOutputTokens` cut the text, else 'stop' */
  readonly reason?: LlmFinish['reason'];
  /** Replaces what counting words gives. */
  readonly usage?: Partial<Usage>;
  /** Milliseconds before the first piece. @default 0 */
  readonly delayMs?: number;
  /** Milliseconds before each further piece. @default that of the provider */
  readonly pieceDelayMs?: number;
  readonly fault?: ScriptedFault;
}

/** What goes wrong, after so many pieces of text. */
export type ScriptedFault =
  | { readonly kind: 'error'; readonly error: unknown; readonly afterPieces: number }
  /** The stream ends without its finish. */
  | { readonly kind: 'cut'; readonly afterPieces: number }
  /** Nothing more comes until the signal aborts. */
  | { readonly kind: 'stall'; readonly afterPieces: number };

/** The last message of the user; empty where there is none. */
export function lastUserText(messages: readonly LlmMessage[]): string {
  return messages.findLast(({ role }) => role === 'user')?.content ?? '';
}

/** Cuts a text before each word; the pieces joined are the text. */
export function wordsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\s)(?=\S)/);
}

/** The rule by which the scripted model counts tokens: runs of anything but white space. */
export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

/** The first `most` words. */
export function firstWords(text: string, most: number): string {
  let count = 0;
  return wordsOf(text)
    .filter((piece) => countWords(piece) === 0 || count++ < most)
    .join('')
    .trimEnd();
}
