import { randomUUID } from 'node:crypto';
import type { LlmFinish } from '@sage-adk/core';
import { z } from 'zod';
import { errors } from '../errors.ts';
import { readJson } from '../http/body.ts';
import { eventText, openEventStream, writeEvents } from '../http/event-stream.ts';
import type { Exchange } from '../http/exchange.ts';
import { errorBody, sendJson } from '../http/respond.ts';
import type { Surface, Work } from '../http/surface.ts';
import { servedBy, textAfter } from '../model/answer.ts';
import type { MessageHandler } from './handler.ts';

export const messagesPath = '/v1/messages';

export interface MessagesOptions {
  readonly handle: MessageHandler;
  readonly work: Work;
}

const messageBody = z.strictObject({
  text: z.string().regex(/\S/, { error: 'wanted a text that is not empty' }),
  /** The conversation; a new one without it. */
  context_id: z.string().min(1).max(256).optional(),
});

/** `POST /v1/messages` for clients without A2A: text in, text out; a stream of events where the client accepts one. */
export function createMessages({ handle, work }: MessagesOptions): Surface {
  return {
    protocol: 'http',
    name: 'messages',
    endpoint: 'messages',
    endsWithClient: true,
    async read(exchange) {
      const { method = '', headers } = exchange.request;
      if (method !== 'POST') throw errors.METHOD_NOT_ALLOWED({ method, allowed: 'POST' });
      const message = messageOf(await readJson(exchange.request, ['application/json']));
      const streamed = headers.accept?.includes('text/event-stream') ?? false;
      return {
        method: 'messages',
        stream: streamed,
        answer: () => work(exchange, () => (streamed ? stream : answer)(handle, message, exchange)),
      };
    },
  };
}

interface Asked {
  readonly text: string;
  readonly messageId: string;
  readonly contextId: string;
}

function messageOf(body: unknown): Asked {
  const parsed = messageBody.safeParse(body);
  if (parsed.success) {
    return { text: parsed.data.text, messageId: randomUUID(), contextId: parsed.data.context_id ?? randomUUID() };
  }
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? `${issue.path.join('.')}: ` : '';
  throw errors.INVALID_MESSAGE({
    problem: `The body must be {"text": "...", "context_id": "..."}. ${where}${issue?.message ?? ''}`,
  });
}

function ask(handle: MessageHandler, asked: Asked, exchange: Exchange) {
  const { subject, signal, streamed } = exchange;
  return handle({ ...asked, userId: subject.principal.id, subject, signal, meter: exchange, whole: !streamed });
}

async function answer(handle: MessageHandler, asked: Asked, exchange: Exchange): Promise<void> {
  let text = '';
  let finish: LlmFinish | undefined;
  for await (const event of ask(handle, asked, exchange)) {
    text = textAfter(text, event);
    if (event.type === 'finish') finish = event;
  }
  sendJson(exchange.response, 200, { id: asked.messageId, context_id: asked.contextId, text, ...ending(finish) });
}

async function stream(handle: MessageHandler, asked: Asked, exchange: Exchange): Promise<void> {
  const { response } = exchange;
  const events = ask(handle, asked, exchange)[Symbol.asyncIterator]();
  // An error before the first token still has a status of its own.
  let next = await events.next();
  openEventStream(response);
  const named = { id: asked.messageId, context_id: asked.contextId };
  await writeEvents(response, eventText('message.started', named));
  try {
    for (; !next.done; next = await events.next()) {
      if (next.value.type === 'text')
        await writeEvents(response, eventText('message.delta', { text: next.value.text }));
      else if (next.value.type === 'restart') await writeEvents(response, eventText('message.restarted', named));
      else if (next.value.type === 'finish')
        await writeEvents(response, eventText('message.completed', { ...named, ...ending(next.value) }));
    }
  } catch (error) {
    exchange.failed(error);
    await writeEvents(response, eventText('error', errorBody(error)));
  }
  response.end();
}

function ending(finish: LlmFinish | undefined) {
  if (finish === undefined) return {};
  const { inputTokens, outputTokens } = finish.usage;
  return {
    ...servedBy(finish),
    finish_reason: finish.reason,
    usage: { input_tokens: inputTokens, output_tokens: outputTokens, total_tokens: inputTokens + outputTokens },
  };
}
