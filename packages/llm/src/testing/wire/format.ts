/** What each wire format has to say, and what it is told. */
import type { Usage } from '@sage-adk/core';
import type { AnswerFinish } from '../behaviour.ts';
import type { ErrorName } from '../error-name.ts';
import type { Json } from './json.ts';

/** A request that was read. */
export interface WireRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Json;
}

/** One API of one provider. */
export interface WireFormat {
  readonly provider: 'openai' | 'anthropic' | 'gemini';
  readonly api: string;
  /** It costs nothing. */
  readonly free?: true;
  /** Whether a request is of this API; the path decides, whatever stands before it. */
  fits(request: Pick<WireRequest, 'method' | 'path' | 'headers'>): boolean;
  ask(request: WireRequest): Question;
  /** The body of an answer that is not streamed. */
  json(answer: Answer, request: WireRequest): string;
  /** Undefined where the API has no streams. */
  readonly stream?: StreamFormat;
  errors(name: ErrorName, context: ErrorContext): ErrorReply;
}

export interface StreamFormat {
  events(answer: Answer, request: WireRequest): Iterable<WireEvent>;
  /** An error in the middle of a stream, after so many events. */
  error(
    reply: ErrorReply,
    place: { readonly answer: Answer; readonly events: number; readonly ending: boolean },
  ): string;
}

/** What a request asks for. */
export interface Question {
  readonly model: string;
  readonly stream: boolean;
  /** 0 where the API has no output that is paid for. */
  readonly maxOutputTokens: number | undefined;
  /** Whether the conversation ends with what a tool returned. */
  readonly endsWithToolResult: boolean;
}

/** What is answered, before any provider's spelling. */
export interface Answer {
  /** The number of the request; every id is made from it. */
  readonly serial: number;
  readonly model: string;
  readonly createdMs: number;
  readonly reasoning: readonly string[];
  readonly text: string;
  /** The text piece by piece; without end where the behaviour says so. */
  readonly pieces: Iterable<string>;
  readonly toolCalls: readonly AnswerToolCall[];
  readonly finish: AnswerFinish;
  readonly usage: Usage;
  /** The usage is not sent. */
  readonly omitUsage: boolean;
  readonly usageFields: Json;
}

export interface AnswerToolCall {
  readonly index: number;
  /** Undefined: one in the provider's own form. */
  readonly id: string | undefined;
  readonly name: string;
  readonly arguments: Json;
}

/** One event as it goes over the wire. */
export interface WireEvent {
  readonly text: string;
  /** Whether it carries a piece of the answer. */
  readonly content: boolean;
}

export interface ErrorContext {
  readonly serial: number;
  readonly model: string;
  readonly retryAfterMs: number | undefined;
}

export interface ErrorReply {
  readonly status: number;
  readonly body: Json;
}

/** An id with the number of the request, such as `msg_000001`. */
export function idOf(prefix: string, serial: number, index?: number): string {
  const number = String(serial).padStart(6, '0');
  return index === undefined ? `${prefix}${number}` : `${prefix}${number}_${index}`;
}

/** The usage as a provider spells it, or nothing where none is to be sent. */
export function usageMember<N extends string>(
  name: N,
  answer: Answer,
  spell: (usage: Usage) => Json,
): { readonly [K in N]?: Json } {
  if (answer.omitUsage) return {};
  return { [name]: { ...spell(answer.usage), ...answer.usageFields } } as { [K in N]?: Json };
}

/** The id of a call of a tool, such as `toolu_000001_0`. */
export function callIdOf(prefix: string, { serial }: Answer, { id, index }: AnswerToolCall): string {
  return id ?? idOf(prefix, serial, index);
}

/** The arguments of a tool as a model writes them, in pieces. */
export function argumentPieces({ arguments: values }: AnswerToolCall): readonly string[] {
  return JSON.stringify(values).match(/[^]{1,12}/gu) ?? [];
}
