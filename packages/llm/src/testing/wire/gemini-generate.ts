/** @see https://ai.google.dev/api/generate-content */
import { countWords } from '@sage-adk/core/testing';
import type { Usage } from '@sage-adk/core';
import {
  type Answer,
  idOf,
  type Question,
  usageMember,
  type WireEvent,
  type WireFormat,
  type WireRequest,
} from './format.ts';
import { geminiErrors } from './gemini-errors.ts';
import { type Json, lastAt, numberAt, objectAt } from './json.ts';

const method = /\/(?:models|tunedModels)\/([^/:]+):(generateContent|streamGenerateContent)$/;

export const geminiGenerate: WireFormat = {
  provider: 'gemini',
  api: 'generateContent',
  fits: (request) => request.method === 'POST' && method.test(request.path),
  ask,
  json,
  stream: {
    events,
    error: ({ body }, { ending }) => (ending ? pretty(body) : event(body)),
  },
  errors: geminiErrors,
};

const finishReasons = { stop: 'STOP', length: 'MAX_TOKENS', 'tool-calls': 'STOP', 'content-filter': 'SAFETY' } as const;

function ask({ path, query, body }: WireRequest): Question {
  const [, model = '', name] = method.exec(path) ?? [];
  return {
    model,
    stream: name === 'streamGenerateContent' && query.get('alt') === 'sse',
    maxOutputTokens: numberAt(objectAt(body, 'generationConfig'), 'maxOutputTokens'),
    endsWithToolResult: 'functionResponse' in lastAt(lastAt(body, 'contents'), 'parts'),
  };
}

/** A stream that is not asked for as events is a list in one piece. */
function json(answer: Answer, { path }: WireRequest): string {
  const whole = chunk(answer, partsOf(answer), answer.usage, answer.finish);
  return pretty(path.endsWith(':generateContent') ? whole : [whole]);
}

function* events(answer: Answer): Iterable<WireEvent> {
  const { reasoningTokens } = answer.usage;
  // What was used so far comes with each chunk.
  const soFar = { ...answer.usage, outputTokens: reasoningTokens ?? 0 };
  for (const text of answer.reasoning) yield content(chunk(answer, [{ text, thought: true }], soFar));
  for (const text of answer.pieces) {
    soFar.outputTokens = Math.min(soFar.outputTokens + Math.max(1, countWords(text)), answer.usage.outputTokens);
    yield content(chunk(answer, [{ text }], soFar));
  }
  for (const part of callParts(answer)) yield content(chunk(answer, [part], soFar));
  yield { text: event(chunk(answer, [{ text: '' }], answer.usage, answer.finish)), content: false };
}

function content(data: Json): WireEvent {
  return { text: event(data), content: true };
}

/** Google's servers end lines with CR and LF. */
function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\r\n\r\n`;
}

function pretty(data: unknown): string {
  return `${JSON.stringify(data, null, 2)}\n`;
}

function chunk(answer: Answer, parts: readonly Json[], usage: Usage, finish?: Answer['finish']): Json {
  return {
    candidates: [
      {
        content: { parts, role: 'model' },
        ...(finish !== undefined && { finishReason: finishReasons[finish] }),
        index: 0,
      },
    ],
    ...usageMember('usageMetadata', { ...answer, usage }, usageMetadata),
    modelVersion: answer.model,
    responseId: idOf('faulty', answer.serial),
  };
}

function partsOf(answer: Answer): readonly Json[] {
  const { reasoning, text } = answer;
  return [
    ...(reasoning.length > 0 ? [{ text: reasoning.join(''), thought: true }] : []),
    ...(text === '' ? [] : [{ text }]),
    ...callParts(answer),
  ];
}

function callParts({ toolCalls }: Answer): readonly Json[] {
  return toolCalls.map(({ id, name, arguments: args }) => ({
    functionCall: { ...(id !== undefined && { id }), name, args },
  }));
}

/** The prompt count holds what is cached; the thoughts are counted beside the answer. The cost of writing a cache is not told here. */
function usageMetadata({ inputTokens, outputTokens, cachedInputTokens, reasoningTokens }: Usage): Json {
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: outputTokens - (reasoningTokens ?? 0),
    totalTokenCount: inputTokens + outputTokens,
    ...(cachedInputTokens !== undefined && { cachedContentTokenCount: cachedInputTokens }),
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: inputTokens }],
    ...(reasoningTokens !== undefined && { thoughtsTokenCount: reasoningTokens }),
  };
}
