/**
 * Gemini's generateContent, on Google AI and on Vertex AI.
 *
 * @see https://ai.google.dev/api/generate-content
 */
import { answerShape } from '../body/answer-shape.ts';
import { holds, holdsText, lengthOfText, parseJson, textAt, valueAt } from '../body/json-text.ts';
import { requestShape } from '../request/request-shape.ts';
import type { AnswerFacts, Api, EventKind, StreamReader } from './api.ts';
import { type GeminiCounts, geminiUsage } from './gemini-usage.ts';
import { memberOf } from './usage.ts';

function spellings(...names: readonly string[]): readonly string[] {
  return ['generationConfig', 'generation_config'].flatMap((outer) => names.map((name) => `${outer}.${name}`));
}

const counts: GeminiCounts = [
  'promptTokenCount',
  'candidatesTokenCount',
  'thoughtsTokenCount',
  'cachedContentTokenCount',
  'toolUsePromptTokenCount',
];
const usageOf = geminiUsage(counts);

export const geminiGenerate: Api = {
  provider: 'gemini',
  name: 'generateContent',
  detect(path) {
    const [, model, method] =
      /\/(?:models|tunedModels|endpoints)\/([^/:]+):(generateContent|streamGenerateContent)$/.exec(path) ?? [];
    return model === undefined ? undefined : { model, stream: method === 'streamGenerateContent' };
  },
  request: requestShape({
    // Google takes the names of its fields in either spelling.
    maxOutputTokens: spellings('maxOutputTokens', 'max_output_tokens'),
    choices: spellings('candidateCount', 'candidate_count'),
  }),
  answer: answerShape({
    usage: 'usageMetadata',
    counts,
    model: 'modelVersion',
    finishReason: ['candidates.finishReason', 'promptFeedback.blockReason'],
    usageOf,
  }),
  readStream: () => new GenerateReader(),
};

/** A stream has no last word: it is whole when it ends after a reason to finish. Each event tells the usage so far. */
class GenerateReader implements StreamReader {
  contentBytes = 0;
  #usage: string | undefined;
  #model: string | undefined;
  #finish: string | undefined;

  get finished(): boolean {
    return this.#finish !== undefined;
  }

  read(_type: string, data: string): EventKind {
    this.#model ??= data;
    if (data.includes('usageMetadata"')) this.#usage = data;
    if (holdsText(data, 'finishReason"') || holdsText(data, 'blockReason"')) this.#finish = data;
    if (data.includes('error"') && memberOf(parseJson(data), 'error') != null) return 'error';
    const size = contentSize(data);
    this.contentBytes += size;
    return size > 0 ? 'content' : undefined;
  }

  facts(): AnswerFacts {
    return {
      usage: usageOf(memberOf(parseJson(this.#usage), 'usageMetadata')),
      model: this.#model && textAt(this.#model, 'modelVersion"'),
      finishReason: this.#finish && (textAt(this.#finish, 'finishReason"') ?? textAt(this.#finish, 'blockReason"')),
    };
  }
}

const otherParts = ['functionCall"', 'inlineData"', 'executableCode"', 'codeExecutionResult"'] as const;

function contentSize(data: string): number {
  const size = lengthOfText(data, 'text"');
  if (size > 0) return size;
  const part = otherParts.find((key) => holds(data, key, '{'));
  return part === undefined ? 0 : data.length - valueAt(data, part);
}
