/** @see https://docs.anthropic.com/en/api/messages */
import type { Usage } from '@sage-adk/core';
import { anthropicErrors } from './anthropic-errors.ts';
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
import { type Json, lastAt, numberAt, textAt } from './json.ts';
import { typedEvent } from './sse.ts';

export const anthropicMessages: WireFormat = {
  provider: 'anthropic',
  api: 'messages',
  fits: ({ method, path }) => method === 'POST' && path.endsWith('/messages'),
  ask,
  json: (answer) =>
    JSON.stringify({ ...message(answer), ...ending(answer), ...usageMember('usage', answer, messageUsage) }),
  stream: { events, error: ({ body }) => typedEvent({ ...body, type: 'error' }).text },
  errors: anthropicErrors,
};

const stopReasons = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
} as const;

function ask({ body }: WireRequest): Question {
  return {
    model: textAt(body, 'model') ?? '',
    stream: body['stream'] === true,
    maxOutputTokens: numberAt(body, 'max_tokens'),
    endsWithToolResult: lastAt(lastAt(body, 'messages'), 'content')['type'] === 'tool_result',
  };
}

function* events(answer: Answer): Iterable<WireEvent> {
  // Output is counted as it comes: the first event knows of one token, the last of all.
  const usage = usageMember('usage', { ...answer, usage: { ...answer.usage, outputTokens: 1 } }, messageUsage);
  const begun = { ...message(answer), content: [], stop_reason: null, stop_sequence: null, ...usage };
  yield typedEvent({ type: 'message_start', message: begun });
  for (const [index, block] of blocksOf(answer).entries()) {
    yield typedEvent({ type: 'content_block_start', index, content_block: block.begun });
    if (index === 0) yield typedEvent({ type: 'ping' });
    for (const { content, ...delta } of block.deltas())
      yield typedEvent({ type: 'content_block_delta', index, delta }, content !== false);
    yield typedEvent({ type: 'content_block_stop', index });
  }
  yield typedEvent({
    type: 'message_delta',
    delta: ending(answer),
    ...usageMember('usage', answer, deltaUsage),
  });
  yield typedEvent({ type: 'message_stop' });
}

interface Block {
  readonly begun: Json;
  readonly whole: Json;
  /** A delta that is no piece of the answer says so. */
  deltas(): Iterable<Json & { readonly content?: false }>;
}

function blocksOf(answer: Answer): readonly Block[] {
  const blocks = answer.toolCalls.map((call) => toolBlock(answer, call));
  if (answer.text !== '') blocks.unshift(textBlock(answer));
  if (answer.reasoning.length > 0) blocks.unshift(thinkingBlock(answer));
  return blocks;
}

function thinkingBlock({ serial, reasoning }: Answer): Block {
  const signature = Buffer.from(idOf('signature_', serial)).toString('base64');
  return {
    begun: { type: 'thinking', thinking: '', signature: '' },
    whole: { type: 'thinking', thinking: reasoning.join(''), signature },
    *deltas() {
      for (const thinking of reasoning) yield { type: 'thinking_delta', thinking };
      yield { type: 'signature_delta', signature, content: false };
    },
  };
}

function textBlock({ text, pieces }: Answer): Block {
  return {
    begun: { type: 'text', text: '' },
    whole: { type: 'text', text, citations: null },
    *deltas() {
      for (const piece of pieces) yield { type: 'text_delta', text: piece };
    },
  };
}

function toolBlock(answer: Answer, call: AnswerToolCall): Block {
  const head = { type: 'tool_use', id: callIdOf('toolu_', answer, call), name: call.name };
  return {
    begun: { ...head, input: {} },
    whole: { ...head, input: call.arguments },
    *deltas() {
      yield { type: 'input_json_delta', partial_json: '', content: false };
      for (const piece of argumentPieces(call)) yield { type: 'input_json_delta', partial_json: piece };
    },
  };
}

function message(answer: Answer): Json {
  return {
    id: idOf('msg_', answer.serial),
    type: 'message',
    role: 'assistant',
    model: answer.model,
    content: blocksOf(answer).map(({ whole }) => whole),
  };
}

function ending({ finish }: Answer): Json {
  return { stop_reason: stopReasons[finish], stop_sequence: null };
}

function messageUsage(usage: Usage): Json {
  const { cacheWriteTokens: written = 0, longCacheWriteTokens: long = 0 } = usage;
  return {
    ...deltaUsage(usage),
    cache_creation: { ephemeral_5m_input_tokens: written - long, ephemeral_1h_input_tokens: long },
    service_tier: 'standard',
  };
}

/** The input count leaves out what was read from or written to the cache. */
function deltaUsage({
  inputTokens,
  outputTokens,
  cachedInputTokens = 0,
  cacheWriteTokens = 0,
  reasoningTokens,
}: Usage): Json {
  return {
    input_tokens: inputTokens - cachedInputTokens - cacheWriteTokens,
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedInputTokens,
    output_tokens: outputTokens,
    ...(reasoningTokens !== undefined && { output_tokens_details: { thinking_tokens: reasoningTokens } }),
  };
}
