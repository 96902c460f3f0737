/** What an answer is made of on its way to a client, whoever gives it. */
import type { LlmEvent, LlmFinish, LlmMessage } from '@sage-adk/core';
import type { ModelCaller } from './model-call.ts';

/** Says that what came so far is to be forgotten: the answer begins again, by another model. */
export interface Restart {
  readonly type: 'restart';
}

export type AnswerEvent = LlmEvent | Restart;

/** Asks for the next turn of a conversation: one model, or a chain of them. */
export type AnswerCall = (turns: readonly LlmMessage[], caller: ModelCaller) => AsyncIterable<AnswerEvent>;

/** What answers of no model have in place of its name, with the tier behind it. */
export const fallbackModel = 'fallback/';

/** The text of an answer after one more of its events. */
export function textAfter(text: string, event: AnswerEvent): string {
  if (event.type === 'restart') return '';
  return event.type === 'text' ? text + event.text : text;
}

/** Who gave the answer, as clients are told it; `degraded` is there where that was no model. */
export function servedBy({ model }: LlmFinish): { readonly model: string; readonly degraded?: true } {
  return { model, ...(model.startsWith(fallbackModel) && { degraded: true }) };
}
