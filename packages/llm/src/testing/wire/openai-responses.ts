/** @see https://platform.openai.com/docs/api-reference/responses */
import type { Usage } from '@sage-adk/core';
import {
  type Answer,
  type AnswerToolCall,
  argumentPieces,
  callIdOf,
  type ErrorReply,
  idOf,
  type Question,
  usageMember,
  type WireEvent,
  type WireFormat,
  type WireRequest,
} from './format.ts';
import { type Json, lastAt, numberAt, objectAt, textAt } from './json.ts';
import { openaiErrors } from './openai-errors.ts';
import { type Typed, typedEvent } from './sse.ts';

export const openaiResponses: WireFormat = {
  provider: 'openai',
  api: 'responses',
  fits: ({ method, path }) => method === 'POST' && path.endsWith('/responses'),
  ask,
  json: (answer, request) => JSON.stringify(response(answer, request, { output: outputOf(answer), ended: true })),
  stream: {
    events: (answer, request) => numbered(events(answer, request)),
    error: (reply, { answer, events: sequence, ending }) =>
      typedEvent({ ...(ending ? failed(answer, reply) : errorEvent(reply)), sequence_number: sequence }).text,
  },
  errors: openaiErrors,
};

const incomplete: Readonly<Record<string, string>> = {
  length: 'max_output_tokens',
  'content-filter': 'content_filter',
};

function ask({ body }: WireRequest): Question {
  return {
    model: textAt(body, 'model') ?? '',
    stream: body['stream'] === true,
    maxOutputTokens: numberAt(body, 'max_output_tokens'),
    endsWithToolResult: lastAt(body, 'input')['type'] === 'function_call_output',
  };
}

function* numbered(drafts: Iterable<Typed>): Iterable<WireEvent> {
  let sequence = 0;
  for (const draft of drafts)
    yield typedEvent(
      { ...draft, sequence_number: sequence++ },
      /^response\..*(text|arguments)\.delta$/.test(draft.type),
    );
}

function* events(answer: Answer, request: WireRequest): Iterable<Typed> {
  const output = outputOf(answer);
  const begun = response(answer, request, { output: [], ended: false });
  yield { type: 'response.created', response: begun };
  yield { type: 'response.in_progress', response: begun };
  for (const [index, item] of output.entries()) {
    const at = { output_index: index };
    yield { type: 'response.output_item.added', ...at, item: { ...item, ...unfilled(item) } };
    yield* contentOf(answer, item, at);
    yield { type: 'response.output_item.done', ...at, item };
  }
  const type = answer.finish in incomplete ? 'response.incomplete' : 'response.completed';
  yield { type, response: response(answer, request, { output, ended: true }) };
}

function* contentOf(answer: Answer, item: Json, at: { readonly output_index: number }): Iterable<Typed> {
  const place = { item_id: item['id'], ...at };
  if (item['type'] === 'reasoning') {
    const summary = { ...place, summary_index: 0 };
    const part = { type: 'summary_text', text: answer.reasoning.join('') };
    yield { type: 'response.reasoning_summary_part.added', ...summary, part: { ...part, text: '' } };
    for (const delta of answer.reasoning) yield { type: 'response.reasoning_summary_text.delta', ...summary, delta };
    yield { type: 'response.reasoning_summary_text.done', ...summary, text: part.text };
    yield { type: 'response.reasoning_summary_part.done', ...summary, part };
  } else if (item['type'] === 'message') {
    const content = { ...place, content_index: 0 };
    yield { type: 'response.content_part.added', ...content, part: textPart('') };
    for (const delta of answer.pieces) yield { type: 'response.output_text.delta', ...content, delta, logprobs: [] };
    yield { type: 'response.output_text.done', ...content, text: answer.text, logprobs: [] };
    yield { type: 'response.content_part.done', ...content, part: textPart(answer.text) };
  } else {
    const call = answer.toolCalls.find(({ index }) => item['id'] === idOf('fc_', answer.serial, index));
    for (const delta of call === undefined ? [] : argumentPieces(call))
      yield { type: 'response.function_call_arguments.delta', ...place, delta };
    yield { type: 'response.function_call_arguments.done', ...place, name: item['name'], arguments: item['arguments'] };
  }
}

/** What an item is before its content came. */
function unfilled({ type }: Json): Json {
  if (type === 'reasoning') return { summary: [] };
  return type === 'message' ? { status: 'in_progress', content: [] } : { status: 'in_progress', arguments: '' };
}

function outputOf(answer: Answer): readonly Json[] {
  const { serial, reasoning, text, toolCalls } = answer;
  const items: Json[] = toolCalls.map((call) => functionCall(answer, call));
  const status = 'completed';
  if (text !== '')
    items.unshift({ id: idOf('msg_', serial), type: 'message', status, role: 'assistant', content: [textPart(text)] });
  if (reasoning.length > 0)
    items.unshift({
      id: idOf('rs_', serial),
      type: 'reasoning',
      summary: [{ type: 'summary_text', text: reasoning.join('') }],
    });
  return items;
}

function functionCall(answer: Answer, call: AnswerToolCall): Json {
  return {
    id: idOf('fc_', answer.serial, call.index),
    type: 'function_call',
    status: 'completed',
    call_id: callIdOf('call_', answer, call),
    name: call.name,
    arguments: JSON.stringify(call.arguments),
  };
}

function textPart(text: string): Json {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function response(
  answer: Answer,
  { body }: Pick<WireRequest, 'body'>,
  { output, ended }: { readonly output: readonly Json[]; readonly ended: boolean },
): Json {
  const reason = incomplete[answer.finish];
  const status = !ended ? 'in_progress' : reason === undefined ? 'completed' : 'incomplete';
  return {
    id: idOf('resp_', answer.serial),
    object: 'response',
    created_at: Math.floor(answer.createdMs / 1_000),
    status,
    error: null,
    incomplete_details: ended && reason !== undefined ? { reason } : null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    metadata: {},
    model: answer.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: 'default',
    store: false,
    temperature: 1,
    text: objectAt(body, 'text')['format'] === undefined ? { format: { type: 'text' } } : body['text'],
    tool_choice: 'auto',
    tools: Array.isArray(body['tools']) ? body['tools'] : [],
    top_p: 1,
    truncation: 'disabled',
    ...(ended ? usageMember('usage', answer, responsesUsage) : { usage: null }),
  };
}

function responsesUsage(usage: Usage): Json {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedInputTokens ?? 0,
      cache_write_tokens: usage.cacheWriteTokens ?? 0,
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}

/** With the error in a member of its own, as the API sends it; its reference shows the members beside `type`. */
function errorEvent({ body }: ErrorReply): Typed {
  return { type: 'error', error: body['error'] };
}

function failed(answer: Answer, { body }: ErrorReply): Typed {
  const { code, type, message } = objectAt(body, 'error');
  const begun = response(answer, { body: {} }, { output: [], ended: false });
  return { type: 'response.failed', response: { ...begun, status: 'failed', error: { code: code ?? type, message } } };
}
