/** @see https://platform.openai.com/docs/api-reference/completions */
import { type Answer, type WireEvent, type WireFormat, type WireRequest, idOf, usageMember } from './format.ts';
import { type Json, numberAt, objectAt, textAt } from './json.ts';
import { chatUsage } from './openai-chat.ts';
import { openaiErrors } from './openai-errors.ts';
import { dataEvent } from './sse.ts';

export const openaiCompletions: WireFormat = {
  provider: 'openai',
  api: 'completions',
  fits: ({ method, path }) => method === 'POST' && path.endsWith('/completions') && !path.endsWith('/chat/completions'),
  ask: ({ body }) => ({
    model: textAt(body, 'model') ?? '',
    stream: body['stream'] === true,
    maxOutputTokens: numberAt(body, 'max_tokens'),
    endsWithToolResult: false,
  }),
  json: (answer) =>
    JSON.stringify({ ...piece(answer, answer.text, finishOf(answer)), ...usageMember('usage', answer, chatUsage) }),
  stream: { events, error: ({ body }) => dataEvent(body).text },
  errors: openaiErrors,
};

function* events(answer: Answer, { body }: WireRequest): Iterable<WireEvent> {
  const withUsage = objectAt(body, 'stream_options')['include_usage'] === true;
  const base = withUsage ? { usage: null } : {};
  for (const text of answer.pieces) yield dataEvent({ ...piece(answer, text, null), ...base }, true);
  yield dataEvent({ ...piece(answer, '', finishOf(answer)), ...base });
  if (withUsage && !answer.omitUsage)
    yield dataEvent({ ...piece(answer, '', null), choices: [], ...usageMember('usage', answer, chatUsage) });
  yield { text: 'data: [DONE]\n\n', content: false };
}

/** All of an answer, or a piece of it. */
function piece({ serial, model, createdMs }: Answer, text: string, finish: string | null): Json {
  return {
    id: idOf('cmpl-', serial),
    object: 'text_completion',
    created: Math.floor(createdMs / 1_000),
    model,
    choices: [{ text, index: 0, logprobs: null, finish_reason: finish }],
  };
}

function finishOf({ finish }: Answer): string {
  return finish === 'content-filter' ? 'content_filter' : finish === 'length' ? 'length' : 'stop';
}
