import { composeStream, type LimitSubject, type LlmMessage, run } from '@sage-adk/core';
import type { Conversations } from '../conversation/conversations.ts';
import { type AnswerCall, type AnswerEvent, textAfter } from '../model/answer.ts';
import type { Meter } from '../model/model-call.ts';
import { userError } from './user-error.ts';

/** A message to the agent, whichever way it came. */
export interface AgentMessage {
  readonly text: string;
  readonly messageId: string;
  /** The conversation that it belongs to. */
  readonly contextId: string;
  readonly userId: string;
  /** Whose limits the calls of the model count for. */
  readonly subject: LimitSubject;
  readonly signal: AbortSignal;
  /** Told how long the model took. */
  readonly meter: Meter;
  /** Nobody sees anything of the answer before all of it is there. @default false */
  readonly whole?: boolean | undefined;
}

/** Answers a message by a stream of text that ends with its usage; a restart takes back what came before it. All surfaces of the agent call this one. */
export type MessageHandler = (message: AgentMessage) => AsyncIterable<AnswerEvent>;

export interface MessageHandlerOptions {
  readonly conversations: Conversations;
  readonly callModel: AnswerCall;
}

interface Turn extends AgentMessage {
  readonly turns: readonly LlmMessage[];
}

/** Put your own steps between `conversation` and the model: each is measured by its name. */
export function createMessageHandler({ conversations, callModel }: MessageHandlerOptions): MessageHandler {
  const answer = composeStream<Turn, AnswerEvent>(
    [{ name: 'conversation', middleware: (turn, next) => remember(conversations, turn, next) }],
    ({ turns, ...turn }) => callModel(turns, turn),
  );
  return (message) =>
    run({ messageId: message.messageId, sessionId: message.contextId }, () =>
      presentable(answer({ ...message, turns: [] }), message.whole !== true),
    );
}

async function* remember(
  conversations: Conversations,
  turn: Turn,
  next: (turn: Turn) => AsyncIterable<AnswerEvent>,
): AsyncGenerator<AnswerEvent> {
  const said: LlmMessage = { role: 'user', content: turn.text };
  const earlier = await conversations.read(turn);
  let text = '';
  for await (const event of next({ ...turn, turns: [...earlier, said] })) {
    text = textAfter(text, event);
    yield event;
  }
  await conversations.append(turn, [said, { role: 'assistant', content: text }]);
}

/** Whatever failed, the client is told in words of the agent. */
async function* presentable(events: AsyncIterable<AnswerEvent>, isShown: boolean): AsyncGenerator<AnswerEvent> {
  let seen = false;
  try {
    for await (const event of events) {
      seen ||= isShown && event.type === 'text';
      yield event;
    }
  } catch (error) {
    throw userError(error, seen);
  }
}
