/**
 * Anthropic's messages, at Anthropic and on Vertex AI.
 *
 * @see https://docs.anthropic.com/en/api/messages
 */
import type { Usage } from '@sage-adk/core';
import { answerShape } from '../body/answer-shape.ts';
import { holdsText, type Key, lengthOfText, parseJson, textAt } from '../body/json-text.ts';
import { requestShape } from '../request/request-shape.ts';
import type { AnswerFacts, Api, EventKind, StreamReader } from './api.ts';
import { countOf, memberOf, textOf, toUsage } from './usage.ts';

export const anthropicMessages: Api = {
  provider: 'anthropic',
  name: 'messages',
  detect(path) {
    // With the version: other APIs have paths that end in /messages.
    if (path.endsWith('/v1/messages')) return {};
    const [, model, method] =
      /\/publishers\/anthropic\/models\/(?!count-tokens:)([^/:]+):(rawPredict|streamRawPredict)$/.exec(path) ?? [];
    return model === undefined ? undefined : { model, stream: method === 'streamRawPredict' };
  },
  request: requestShape({
    maxOutputTokens: ['max_tokens'],
    thinkingTokens: 'thinking.budget_tokens',
    // The tokenizer since Claude Opus 4.7 makes some 30 % more tokens of the same text.
    tokenMargin: 1.3,
  }),
  answerHeaders: ['anthropic-version', 'anthropic-beta'],
  answer: answerShape({
    usage: 'usage',
    counts: [
      'input_tokens',
      'output_tokens',
      'cache_read_input_tokens',
      'cache_creation_input_tokens',
      'cache_creation.ephemeral_1h_input_tokens',
      'output_tokens_details.thinking_tokens',
      'iterations',
    ],
    model: 'model',
    finishReason: ['stop_reason'],
    usageOf,
  }),
  readStream: () => new MessagesReader(),
};

/** The top counts leave out what a compaction on the way used, and another model that was asked for advice; the iterations have all. */
function usageOf(usage: unknown): Usage | undefined {
  const iterations = memberOf(usage, 'iterations');
  const others = Array.isArray(iterations)
    ? iterations.filter((one) => beside.has(memberOf(one, 'type'))).flatMap((one) => usageOfOne(one) ?? [])
    : [];
  return others.reduce((sum: Usage | undefined, one) => sum && added(sum, one), usageOfOne(usage));
}

const beside: ReadonlySet<unknown> = new Set(['compaction', 'advisor_message']);

function added(one: Usage, other: Usage): Usage {
  const sum: Record<string, number> = { ...one };
  for (const [name, count] of Object.entries(other)) sum[name] = (sum[name] ?? 0) + count;
  return sum as unknown as Usage;
}

/** The input count leaves out what was read from or written to the cache; ours holds both, so they are added. */
function usageOfOne(usage: unknown): Usage | undefined {
  const plain = countOf(usage, 'input_tokens');
  const cachedInputTokens = countOf(usage, 'cache_read_input_tokens');
  const cacheWriteTokens = countOf(usage, 'cache_creation_input_tokens');
  return toUsage({
    inputTokens: plain === undefined ? undefined : plain + (cachedInputTokens ?? 0) + (cacheWriteTokens ?? 0),
    outputTokens: countOf(usage, 'output_tokens'),
    cachedInputTokens,
    cacheWriteTokens,
    longCacheWriteTokens: countOf(memberOf(usage, 'cache_creation'), 'ephemeral_1h_input_tokens'),
    reasoningTokens: countOf(memberOf(usage, 'output_tokens_details'), 'thinking_tokens'),
  });
}

class MessagesReader implements StreamReader {
  contentBytes = 0;
  #begun: string | undefined;
  #delta: string | undefined;

  get finished(): boolean {
    return this.#delta !== undefined && holdsText(this.#delta, 'stop_reason"');
  }

  read(name: string, data: string): EventKind {
    switch (name === '' ? textAt(data, 'type"') : name) {
      case 'content_block_delta': {
        const size = contentSize(data);
        this.contentBytes += size;
        return size > 0 ? 'content' : undefined;
      }
      case 'message_start':
        this.#begun = data;
        return undefined;
      case 'message_delta':
        this.#delta = data;
        return undefined;
      case 'message_stop':
        return 'end';
      case 'error':
        return 'error';
      default:
        return undefined;
    }
  }

  pieceIn(data: string): Key | undefined {
    return pieces.find((key) => holdsText(data, key));
  }

  /** What the start knew, replaced by what the end says: its counts are of the whole message. */
  facts(): AnswerFacts {
    const message = memberOf(parseJson(this.#begun), 'message');
    const ended = parseJson(this.#delta);
    return {
      usage: usageOf(merged(memberOf(message, 'usage'), memberOf(ended, 'usage'))),
      model: textOf(message, 'model'),
      finishReason: textOf(memberOf(ended, 'delta'), 'stop_reason'),
    };
  }
}

const pieces = ['text"', 'partial_json"', 'thinking"'] as const;

function contentSize(data: string): number {
  const size = lengthOfText(data, 'text"') || lengthOfText(data, 'partial_json"') || lengthOfText(data, 'thinking"');
  return size === 0 && data.includes('"citations_delta"') ? 1 : size;
}

function merged(begun: unknown, ended: unknown): unknown {
  if (typeof ended !== 'object' || ended === null) return begun;
  const said = Object.entries(ended).filter(([, value]) => value !== null);
  return { ...(begun as object | null | undefined), ...Object.fromEntries(said) };
}
