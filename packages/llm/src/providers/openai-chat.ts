/**
 * OpenAI's chat completions, and whoever speaks the same.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
import { answerShape } from '../body/answer-shape.ts';
import { holds, holdsText, type Key, lengthOfText, parseJson, skipSpace, textAt, valueAt } from '../body/json-text.ts';
import { requestShape } from '../request/request-shape.ts';
import type { AnswerFacts, Api, EventKind, StreamReader } from './api.ts';
import { deploymentIn } from './azure.ts';
import { openaiCounts, openaiUsage } from './openai-usage.ts';
import { memberOf } from './usage.ts';

export const openaiChat: Api = {
  provider: 'openai',
  name: 'chat',
  detect: (path) => (path.endsWith('/chat/completions') ? deploymentIn(path) : undefined),
  request: requestShape({
    maxOutputTokens: ['max_completion_tokens', 'max_tokens'],
    // OpenAI's reasoning models refuse the old name, other hosts know only that.
    capFor: (model) => (/^(?:ft:)?(?:gpt-|o\d|chatgpt)/.test(model) ? 0 : 1),
    choices: ['n'],
    usageOnRequest: true,
  }),
  answer: answerShape({
    usage: 'usage',
    counts: openaiCounts,
    model: 'model',
    finishReason: ['choices.finish_reason'],
    usageOf: openaiUsage,
  }),
  readStream: (choices) => new ChatReader(choices),
};

export class ChatReader implements StreamReader {
  readonly noise = noise;
  contentBytes = 0;
  #model: string | undefined;
  #usage: string | undefined;
  #finish: string | undefined;
  /** Answers that go on. */
  #open: number;

  constructor(choices: number) {
    this.#open = choices;
  }

  get finished(): boolean {
    return this.#open <= 0;
  }

  read(_type: string, data: string): EventKind {
    if (data === '[DONE]') return 'end';
    // Azure begins with an event that leaves it empty.
    if (this.#model === undefined && holdsText(data, 'model"')) this.#model = data;
    if (holds(data, 'usage"', '{')) {
      this.#usage = data;
      if (isEmptyList(data, 'choices"')) return 'extra';
    }
    if (holdsText(data, 'finish_reason"')) {
      this.#finish = data;
      this.#open--;
    }
    if (data.includes('error"') && isError(data)) return 'error';
    return this.add(contentSize(data));
  }

  add(size: number): EventKind {
    this.contentBytes += size;
    return size > 0 ? 'content' : undefined;
  }

  pieceIn(data: string): Key | undefined {
    if (saysMore(data)) return undefined;
    if (holdsText(data, 'content"')) return 'content"';
    return opensCall(data) ? 'arguments"' : otherPieces.find((key) => holdsText(data, key));
  }

  facts(): AnswerFacts {
    return {
      usage: openaiUsage(usageIn(parseJson(this.#usage))),
      model: this.#model && textAt(this.#model, 'model"'),
      finishReason: this.#finish && textAt(this.#finish, 'finish_reason"'),
    };
  }
}

/** Whether an event says more than a piece of the answer. */
export function saysMore(data: string): boolean {
  return data.includes('error"') || holds(data, 'usage"', '{') || holdsText(data, 'finish_reason"');
}

/** Groq has a member of its own for it, and Moonshot tells it with the choice. */
function usageIn(chunk: unknown): unknown {
  return (
    memberOf(chunk, 'usage') ??
    memberOf(memberOf(chunk, 'x_groq'), 'usage') ??
    memberOf(memberOf(memberOf(chunk, 'choices'), '0'), 'usage')
  );
}

/** Mistral's has the shorter name. */
const noise = ['obfuscation"', 'p"'] as const;
/** Thoughts stand in members that only other hosts have. */
const otherPieces = ['reasoning_content"', 'reasoning"', 'refusal"'] as const;

function contentSize(data: string): number {
  const size = lengthOfText(data, 'content"');
  if (size > 0) return size;
  // What opens a call of a tool has no arguments yet, and is as little content as what opens a message.
  if (opensCall(data)) return lengthOfText(data, 'arguments"');
  if (holds(data, 'audio"', '{')) return data.length;
  return (
    lengthOfText(data, 'reasoning_content"') ||
    lengthOfText(data, 'reasoning"') ||
    lengthOfText(data, 'refusal"') ||
    // Mistral gives a list of parts.
    (holds(data, 'content"', '[') ? lengthOfText(data, 'text"') : 0)
  );
}

/** Calls of tools, and those of old. */
function opensCall(data: string): boolean {
  return (holds(data, 'tool_calls"', '[') && !isEmptyList(data, 'tool_calls"')) || holds(data, 'function_call"', '{');
}

function isEmptyList(data: string, key: Key): boolean {
  const at = valueAt(data, key);
  return at >= 0 && data.startsWith('[', at) && data.startsWith(']', skipSpace(data, at + 1));
}

function isError(data: string): boolean {
  return memberOf(parseJson(data), 'error') != null;
}
