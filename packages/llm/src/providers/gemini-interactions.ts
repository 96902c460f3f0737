/**
 * Gemini's interactions, of models and of agents.
 *
 * @see https://ai.google.dev/api/interactions-api
 */
import { answerShape } from '../body/answer-shape.ts';
import { holds, lengthOfText, parseJson, textAt } from '../body/json-text.ts';
import { requestShape } from '../request/request-shape.ts';
import type { AnswerFacts, Api, EventKind, StreamReader } from './api.ts';
import { type GeminiCounts, geminiUsage } from './gemini-usage.ts';
import { memberOf, textOf } from './usage.ts';

const counts: GeminiCounts = [
  'total_input_tokens',
  'total_output_tokens',
  'total_thought_tokens',
  'total_cached_tokens',
  'total_tool_use_tokens',
];
const usageOf = geminiUsage(counts);

export const geminiInteractions: Api = {
  provider: 'gemini',
  name: 'interactions',
  // With the version: other APIs have paths that end in /interactions.
  detect: (path) => (/\/v\d\w*\/(?:.*\/)?interactions$/.test(path) ? {} : undefined),
  request: requestShape({
    maxOutputTokens: ['generation_config.max_output_tokens'],
    // An agent is asked without a model, and takes no limit.
    capFor: (model) => (model === 'unknown' ? -1 : 0),
  }),
  answer: answerShape({
    usage: 'usage',
    counts,
    model: 'model',
    finishReason: ['status'],
    usageOf,
  }),
  readStream: () => new InteractionsReader(),
};

class InteractionsReader implements StreamReader {
  contentBytes = 0;
  #begun: string | undefined;
  #usage: string | undefined;
  #ended: string | undefined;

  get finished(): boolean {
    return this.#ended !== undefined;
  }

  read(name: string, data: string): EventKind {
    if (data === '[DONE]') return 'end';
    // Any event may tell the usage so far.
    if (holds(data, 'usage"', '{') || holds(data, 'total_usage"', '{')) this.#usage = data;
    switch (name === '' ? textAt(data, 'event_type"') : name) {
      case 'step.delta': {
        const size = contentSize(data);
        this.contentBytes += size;
        return size > 0 ? 'content' : undefined;
      }
      case 'interaction.created':
        this.#begun = data;
        return undefined;
      case 'interaction.completed':
      case 'interaction.requires_action':
        this.#ended = data;
        return 'end';
      case 'error':
        return 'error';
      default:
        return undefined;
    }
  }

  facts(): AnswerFacts {
    const told = parseJson(this.#usage);
    const ended = memberOf(parseJson(this.#ended), 'interaction');
    const usage =
      memberOf(memberOf(told, 'interaction'), 'usage') ??
      memberOf(memberOf(told, 'metadata'), 'total_usage') ??
      memberOf(told, 'usage');
    return {
      usage: usageOf(usage),
      model: textOf(ended, 'model') ?? (this.#begun && textAt(this.#begun, 'model"')),
      finishReason: textOf(ended, 'status'),
    };
  }
}

/** Text and thoughts, arguments of tools, images and sound. */
function contentSize(data: string): number {
  return lengthOfText(data, 'text"') || lengthOfText(data, 'arguments"') || lengthOfText(data, 'data"');
}
