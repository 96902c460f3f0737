import { randomUUID } from 'node:crypto';
import { type Message, Role, TaskState, type TaskStatus } from '@a2a-js/sdk';
import { AgentEvent, type AgentExecutor, type ExecutionEventBus, type RequestContext } from '@a2a-js/sdk/server';
import { isSageError } from '@sage-adk/core';
import { errors } from '../errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { describe, errorBody } from '../http/respond.ts';
import { decisionOf } from '../limits/refusal.ts';
import type { MessageHandler } from '../messages/handler.ts';
import { servedBy, textAfter } from '../model/answer.ts';
import { AnswerArtifact } from './answer-artifact.ts';
import { exchangeOf } from './caller.ts';
import { textOf, textPart } from './parts.ts';

/**
 * Answers messages of A2A through the agent's message handler.
 *
 * A message that is sent plainly gets a message back. One that is streamed or that wants no waiting becomes a task, whose answer is one artifact; an
 * answer that begins again replaces it. The metadata of the message, or of the task, name the model, and say `degraded` where none answered. A limit that says no is the whole answer to the first kind, and rejects the task of the second.
 */
export function createExecutor(handle: MessageHandler): AgentExecutor {
  const running = new Map<string, Exchange>();
  return {
    async execute(call, bus) {
      const exchange = exchangeOf(call.context);
      const work = isPlain(call, exchange) ? reply(handle, call, exchange, bus) : doTask(handle, call, exchange, bus);
      running.set(call.taskId, exchange);
      exchange.keepUntil(work);
      try {
        await work;
      } finally {
        running.delete(call.taskId);
      }
    },
    async cancelTask(taskId) {
      running.get(taskId)?.abort(errors.TASK_CANCELLED());
    },
  };
}

function isPlain({ request }: RequestContext, { streamed }: Exchange): boolean {
  return !streamed && request.configuration?.returnImmediately !== true;
}

async function reply(
  handle: MessageHandler,
  call: RequestContext,
  exchange: Exchange,
  bus: ExecutionEventBus,
): Promise<void> {
  try {
    let text = '';
    let served: Metadata;
    for await (const event of answer(handle, call, exchange, true)) {
      text = textAfter(text, event);
      if (event.type === 'finish') served = servedBy(event);
    }
    bus.publish(AgentEvent.message(agentMessage(call, text, '', served)));
  } catch (error) {
    exchange.failed(error);
    if (decisionOf(error) !== undefined) {
      exchange.refusal = error;
      // The SDK waits for something; nothing is kept of it.
      return bus.publish(AgentEvent.message(agentMessage(call, describe(error).message, '')));
    }
    publishTask(call, bus);
    publishStatus(call, bus, endOf(error));
  }
}

async function doTask(
  handle: MessageHandler,
  call: RequestContext,
  exchange: Exchange,
  bus: ExecutionEventBus,
): Promise<void> {
  publishTask(call, bus);
  const artifact = new AnswerArtifact(call, bus, exchange.streamed ? watchedPieces : 1);
  let end: End;
  try {
    let served: Metadata;
    for await (const event of answer(handle, call, exchange, false)) {
      if (event.type === 'restart') artifact.restart();
      if (event.type === 'finish') served = servedBy(event);
      if (event.type === 'text') artifact.add(event.text);
    }
    end = { state: TaskState.TASK_STATE_COMPLETED, served };
  } catch (error) {
    exchange.failed(error);
    end = endOf(error);
  }
  artifact.flush();
  publishStatus(call, bus, end);
}

/** So many pieces of an answer that somebody watches come one by one. */
const watchedPieces = 64;

function answer(
  handle: MessageHandler,
  { userMessage, contextId }: RequestContext,
  exchange: Exchange,
  whole: boolean,
) {
  return handle({
    text: textOf(userMessage.parts),
    messageId: userMessage.messageId,
    contextId,
    userId: exchange.subject.principal.id,
    subject: exchange.subject,
    signal: exchange.signal,
    meter: exchange,
    whole,
  });
}

interface End {
  readonly state: TaskState;
  /** What is to be said about it. */
  readonly text?: string;
  /** Of what is said. */
  readonly metadata?: Metadata;
  /** Who answered. */
  readonly served?: Metadata;
}

type Metadata = Message['metadata'];

function endOf(error: unknown): End {
  const metadata = errorBody(error);
  const { message: text } = metadata;
  if (decisionOf(error) !== undefined) return { state: TaskState.TASK_STATE_REJECTED, text, metadata };
  const cancelled = isSageError(error, errors.TASK_CANCELLED.code);
  return { state: cancelled ? TaskState.TASK_STATE_CANCELED : TaskState.TASK_STATE_FAILED, text };
}

function publishTask(call: RequestContext, bus: ExecutionEventBus): void {
  const { taskId: id, contextId, userMessage } = call;
  bus.publish(
    AgentEvent.task({
      id,
      contextId,
      status: statusOf(TaskState.TASK_STATE_WORKING, undefined),
      artifacts: [],
      history: [userMessage],
      metadata: undefined,
    }),
  );
}

function publishStatus(call: RequestContext, bus: ExecutionEventBus, { state, text, metadata, served }: End): void {
  const { taskId, contextId } = call;
  const message = text === undefined ? undefined : agentMessage(call, text, taskId, metadata);
  bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: statusOf(state, message), metadata: served }));
}

function statusOf(state: TaskState, message: Message | undefined): TaskStatus {
  return { state, message, timestamp: new Date().toISOString() };
}

function agentMessage({ contextId }: RequestContext, text: string, taskId: string, metadata?: Metadata): Message {
  return {
    messageId: randomUUID(),
    contextId,
    taskId,
    role: Role.ROLE_AGENT,
    parts: [textPart(text)],
    metadata,
    extensions: [],
    referenceTaskIds: [],
  };
}
