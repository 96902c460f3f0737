import {
  type AgentCard,
  type Message,
  Role,
  type SendMessageRequest,
  type StreamResponse,
  type Task,
} from '@a2a-js/sdk';
import { RequestMalformedError, UnsupportedOperationError } from '@a2a-js/sdk/errors';
import { type AgentExecutor, DefaultRequestHandler, type ServerCallContext, type TaskStore } from '@a2a-js/sdk/server';
import { createEventBuses } from './event-buses.ts';
import { textOf } from './parts.ts';
import { isFinal } from './task-store.ts';

/**
 * The SDK's handler, for the messages that this agent takes: of a user, with text, and one for each task. A second message to a task that runs would share
 * its events, and each answer would hold parts of the other.
 */
export class RequestHandler extends DefaultRequestHandler {
  readonly #tasks: TaskStore;

  constructor(card: AgentCard, tasks: TaskStore, executor: AgentExecutor) {
    super(card, tasks, executor, createEventBuses());
    this.#tasks = tasks;
  }

  override async sendMessage(request: SendMessageRequest, context: ServerCallContext): Promise<Message | Task> {
    return super.sendMessage(await this.#taken(request, context), context);
  }

  override async *sendMessageStream(
    request: SendMessageRequest,
    context: ServerCallContext,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    yield* super.sendMessageStream(await this.#taken(request, context), context);
  }

  async #taken(request: SendMessageRequest, context: ServerCallContext): Promise<SendMessageRequest> {
    const { message } = request;
    if (message === undefined) return request;
    if (message.role === Role.ROLE_AGENT) throw new RequestMalformedError('A message to the agent has the role user.');
    if (textOf(message.parts).trim() === '')
      throw new RequestMalformedError('The message has no text, and the agent reads nothing else.');
    const task = message.taskId === '' ? undefined : await this.#tasks.load(message.taskId, context);
    if (task !== undefined && !isFinal(task))
      throw new UnsupportedOperationError(`Task ${task.id} is being answered, and takes no other message.`);
    // Nothing here reads the tasks that it refers to, and the SDK writes a line for each that it doesn't find.
    return { ...request, message: { ...message, referenceTaskIds: [] } };
  }
}
