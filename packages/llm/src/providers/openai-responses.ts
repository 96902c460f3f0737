/**
 * OpenAI's responses.
 *
 * @see https://platform.openai.com/docs/api-reference/responses
 */
import { answerShape } from '../body/answer-shape.ts';
import { holdsText, type Key, lengthOfText, parseJson, textAt } from '../body/json-text.ts';
import { requestShape } from '../request/request-shape.ts';
import type { AnswerFacts, Api, EventKind, StreamReader } from './api.ts';
import { openaiCounts, openaiUsage } from './openai-usage.ts';
import { memberOf, textOf } from './usage.ts';

export const openaiResponses: Api = {
  provider: 'openai',
  name: 'responses',
  detect: (path) => (path.endsWith('/responses') ? {} : undefined),
  request: requestShape({ maxOutputTokens: ['max_output_tokens'], leastOutputTokens: 16 }),
  answer: answerShape({
    usage: 'usage',
    counts: openaiCounts,
    model: 'model',
    finishReason: ['status'],
    usageOf: openaiUsage,
  }),
  readStream: () => new ResponsesReader(),
};

/** What was said so far, made shorter. No limit can be set to that: less than all that it may take is of no use. */
export const openaiCompaction: Api = {
  provider: 'openai',
  name: 'responses',
  detect: (path) => (path.endsWith('/responses/compact') ? {} : undefined),
  request: requestShape({ maxOutputTokens: [], leastOutputTokens: Number.POSITIVE_INFINITY }),
  answer: openaiResponses.answer,
};

class ResponsesReader implements StreamReader {
  readonly noise = noise;
  contentBytes = 0;
  #begun: string | undefined;
  #ended: string | undefined;
  #isWhole = false;

  get finished(): boolean {
    return this.#isWhole;
  }

  read(name: string, data: string): EventKind {
    const type = name === '' ? (textAt(data, 'type"') ?? '') : name;
    // Text, thoughts, refusals, audio, arguments of tools, code: all that comes in pieces.
    if (type.endsWith('.delta')) return this.#add(lengthOfText(data, 'delta"'));
    switch (type) {
      case 'response.created':
        this.#begun = data;
        return undefined;
      case 'response.completed':
      case 'response.incomplete':
        this.#ended = data;
        this.#isWhole = true;
        return 'end';
      case 'response.failed':
        this.#ended = data;
        return 'error';
      case 'error':
        return 'error';
      default:
        return type.endsWith('partial_image') ? this.#add(data.length) : undefined;
    }
  }

  pieceIn(data: string): Key | undefined {
    return holdsText(data, 'delta"') ? 'delta"' : undefined;
  }

  #add(size: number): EventKind {
    this.contentBytes += size;
    return size > 0 ? 'content' : undefined;
  }

  facts(): AnswerFacts {
    const response = memberOf(parseJson(this.#ended), 'response');
    return {
      usage: openaiUsage(memberOf(response, 'usage')),
      model: textOf(response, 'model') ?? (this.#begun && textAt(this.#begun, 'model"')),
      finishReason: textOf(response, 'status'),
    };
  }
}

const noise = ['sequence_number"', 'obfuscation"'] as const;
