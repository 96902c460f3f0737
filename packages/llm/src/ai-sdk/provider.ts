import type {
  LlmCallOptions,
  LlmEvent,
  LlmFinish,
  LlmProvider,
  LlmRequest,
  LlmResponse,
  LlmToolCall,
  Usage,
} from '@sage-adk/core';
import { errors } from '../errors.ts';
import { memberOf, textOf } from '../providers/usage.ts';
import { estimateOutput, estimateText } from '../request/estimate.ts';
import { usageOf } from './answer-facts.ts';
import { failureOf } from './failure.ts';
import { type AiAsked, askedOf } from './prompt.ts';
import type { AiGenerated, AiModel, AiPart, AiStreamed } from './shapes.ts';

export interface AiSdkProviderOptions {
  /** The name of the provider, as in reports, limits and prices. */
  readonly name: string;
  /** The language model of a name, such as a provider of the AI SDK gives it. */
  readonly modelOf: (model: string) => AiModel<AiAsked, AiGenerated, AiStreamed>;
}

/**
 * A provider of the AI SDK as an `LlmProvider` of core: text, tool calls and usage, streamed or whole. Reasoning and files of an answer are left out.
 *
 * It makes one try and puts nothing around it; give the SDK's provider a `fetch` of `wrapFetch`. Failures are the errors of this package, with the SDK's as
 * cause: so metrics have a code, and a policy that retries the wait that was asked for. Where an answer tells no usage, its usage is an estimate.
 *
 * @example
 * ```ts
 * const openai = createOpenAI({ fetch: wrapFetch(fetch, { stall: { firstContentMs: 30_000 } }) });
 * const provider = createAiSdkProvider({ name: 'openai', modelOf: (model) => openai(model) });
 * ```
 */
export function createAiSdkProvider({ name, modelOf }: AiSdkProviderOptions): LlmProvider {
  return {
    name,
    async complete(request, { signal } = {}) {
      signal?.throwIfAborted();
      try {
        return responseOf(await modelOf(request.model).doGenerate(askedOf(request, signal)), request);
      } catch (error) {
        throw thrown(error, name, signal);
      }
    },
    stream: (request, options) => eventsOf({ name, modelOf }, request, options),
  };
}

async function* eventsOf(
  { name, modelOf }: AiSdkProviderOptions,
  request: LlmRequest,
  { signal }: LlmCallOptions = {},
): AsyncGenerator<LlmEvent, void, void> {
  signal?.throwIfAborted();
  const heard: Heard = { model: request.model, pieces: 0, bytes: 0, calls: false };
  try {
    const { stream } = await modelOf(request.model).doStream(askedOf(request, signal));
    for await (const part of stream) {
      const event = eventOf(part, heard, request);
      if (event === undefined) continue;
      if (event.type === 'finish' && isCutShort(part)) throw errors.INCOMPLETE({ provider: name });
      yield event;
      if (event.type === 'finish') return;
    }
    throw errors.INCOMPLETE({ provider: name });
  } catch (error) {
    throw thrown(error, name, signal);
  }
}

/** What a stream said so far. */
interface Heard {
  model: string;
  pieces: number;
  bytes: number;
  calls: boolean;
}

function eventOf(part: AiPart, heard: Heard, request: LlmRequest): LlmEvent | undefined {
  switch (part.type) {
    case 'text-delta': {
      const text = textOf(part, 'delta') ?? '';
      count(heard, text);
      return text === '' ? undefined : { type: 'text', text };
    }
    case 'reasoning-delta':
      count(heard, textOf(part, 'delta') ?? '');
      return undefined;
    case 'tool-call': {
      const call = callOf(part);
      count(heard, call.arguments);
      heard.calls = true;
      return { type: 'tool-call', call };
    }
    case 'response-metadata':
      heard.model = textOf(part, 'modelId') ?? heard.model;
      return undefined;
    case 'error':
      throw memberOf(part, 'error');
    case 'finish':
      return finishOf(part, heard, request);
    default:
      return undefined;
  }
}

function responseOf(answer: AiGenerated, request: LlmRequest): LlmResponse {
  const heard: Heard = { model: answer.response?.modelId ?? request.model, pieces: 0, bytes: 0, calls: false };
  const toolCalls: LlmToolCall[] = [];
  let text = '';
  for (const part of answer.content as readonly AiPart[]) {
    if (part.type === 'text') text += textOf(part, 'text') ?? '';
    else if (part.type === 'tool-call') toolCalls.push(callOf(part));
  }
  count(heard, text + toolCalls.map((call) => call.arguments).join(''));
  heard.calls = toolCalls.length > 0;
  const { type: _, ...finish } = finishOf(answer, heard, request);
  return { text, ...(heard.calls && { toolCalls }), ...finish };
}

function finishOf(said: object, heard: Heard, request: LlmRequest): LlmFinish {
  return {
    type: 'finish',
    reason: reasonOf(memberOf(said, 'finishReason'), heard.calls),
    usage: usageOf(memberOf(said, 'usage')) ?? estimated(heard, request),
    model: heard.model,
  };
}

const reasons: ReadonlySet<string> = new Set(['stop', 'length', 'tool-calls', 'content-filter']);

function reasonOf(said: unknown, calls: boolean): LlmFinish['reason'] {
  const unified = textOf(said, 'unified') ?? 'other';
  // Not every server of OpenAI's API says so.
  if (calls && unified === 'stop') return 'tool-calls';
  return reasons.has(unified) ? (unified as LlmFinish['reason']) : 'other';
}

/** Its stream just ended: a provider of the SDK says so, or gives no reason at all. */
function isCutShort(part: AiPart): boolean {
  const reason = memberOf(part, 'finishReason');
  const unified = textOf(reason, 'unified');
  return unified === 'interrupted' || (unified === 'other' && textOf(reason, 'raw') === undefined);
}

function callOf(part: AiPart): LlmToolCall {
  return {
    id: textOf(part, 'toolCallId') ?? '',
    name: textOf(part, 'toolName') ?? '',
    arguments: textOf(part, 'input') ?? '{}',
  };
}

function count(heard: Heard, text: string): void {
  if (text === '') return;
  heard.pieces++;
  heard.bytes += Buffer.byteLength(text);
}

function estimated({ pieces, bytes }: Heard, { messages, tools }: LlmRequest): Usage {
  const inputTokens = estimateText(JSON.stringify({ messages, tools }));
  return { inputTokens, outputTokens: estimateOutput(pieces, bytes) };
}

/** An abort is the caller's own word; any other failure is one of this package. */
function thrown(error: unknown, provider: string, signal: AbortSignal | undefined): unknown {
  return signal?.aborted === true ? signal.reason : failureOf(error, provider);
}
