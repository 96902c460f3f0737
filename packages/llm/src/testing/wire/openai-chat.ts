/** @see https://platform.openai.com/docs/api-reference/chat */
import type { Usage } from '@sage-adk/core';
import {
  type Answer,
  type AnswerToolCall,
  argumentPieces,
  callIdOf,
  idOf,
  type Question,
  usageMember,
  type WireEvent,
  type WireFormat,
  type WireRequest,
} from './format.ts';
import { type Json, lastAt, numberAt, objectAt, textAt } from './json.ts';
import { openaiErrors } from './openai-errors.ts';
import { dataEvent } from './sse.ts';

export const openaiChat: WireFormat = {
  provider: 'openai',
  api: 'chat',
  fits: ({ method, path }) => method === 'POST' && path.endsWith('/chat/completions'),
  ask,
  json: (answer) => JSON.stringify(completion(answer)),
  stream: { events, error: ({ body }) => dataEvent(body).text },
  errors: openaiErrors,
};

const finishes = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
} as const;

function ask({ body }: WireRequest): Question {
  return {
    model: textAt(body, 'model') ?? '',
    stream: body['stream'] === true,
    maxOutputTokens: numberAt(body, 'max_completion_tokens', 'max_tokens'),
    endsWithToolResult: lastAt(body, 'messages')['role'] === 'tool',
  };
}

function completion(answer: Answer): Json {
  const message = {
    role: 'assistant',
    content: answer.text === '' ? null : answer.text,
    refusal: null,
    annotations: [],
    ...(answer.toolCalls.length > 0 && {
      tool_calls: answer.toolCalls.map((call) => toolCall(answer, call, JSON.stringify(call.arguments))),
    }),
  };
  return {
    ...head(answer, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishes[answer.finish] }],
    ...usageMember('usage', answer, chatUsage),
  };
}

function* events(answer: Answer, { body }: WireRequest): Iterable<WireEvent> {
  const withUsage = objectAt(body, 'stream_options')['include_usage'] === true;
  // Each chunk has a null until the last, where usage was asked for.
  const base = { ...head(answer, 'chat.completion.chunk'), ...(withUsage && { usage: null }) };
  const chunk = (delta: Json, finish: string | null = null, content = false): WireEvent =>
    dataEvent({ ...base, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] }, content);

  yield chunk({ role: 'assistant', content: '', refusal: null });
  for (const content of answer.pieces) yield chunk({ content }, null, true);
  for (const call of answer.toolCalls) {
    const { index } = call;
    yield chunk({ tool_calls: [{ index, ...toolCall(answer, call, '') }] });
    for (const piece of argumentPieces(call))
      yield chunk({ tool_calls: [{ index, function: { arguments: piece } }] }, null, true);
  }
  yield chunk({}, finishes[answer.finish]);
  if (withUsage && !answer.omitUsage)
    yield dataEvent({ ...base, choices: [], ...usageMember('usage', answer, chatUsage) });
  yield { text: 'data: [DONE]\n\n', content: false };
}

function head({ serial, model, createdMs }: Answer, object: string): Json {
  return {
    id: idOf('chatcmpl-', serial),
    object,
    created: Math.floor(createdMs / 1_000),
    model,
    service_tier: 'default',
    system_fingerprint: 'fp_faulty',
  };
}

function toolCall(answer: Answer, call: AnswerToolCall, written: string): Json {
  return { id: callIdOf('call_', answer, call), type: 'function', function: { name: call.name, arguments: written } };
}

export function chatUsage(usage: Usage): Json {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cachedInputTokens ?? 0,
      audio_tokens: 0,
      ...(usage.cacheWriteTokens !== undefined && { cache_write_tokens: usage.cacheWriteTokens }),
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens ?? 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
