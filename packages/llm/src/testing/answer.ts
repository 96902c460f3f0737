import type { Usage } from '@sage-adk/core';
import { countWords } from '@sage-adk/core/testing';
import type { Behaviour } from './behaviour.ts';
import type { Answer, Question, WireRequest } from './wire/format.ts';
import { isObject, type Json } from './wire/json.ts';

/** Two, three and four bytes in UTF-8: what cuts bytes cuts letters too. */
const usualText = 'A provider that fails on purpose: naïve, 漢字 and 🎈 included.';

/** What a behaviour answers to a question. Where no output may come, none does. */
export function answerOf(
  behaviour: Behaviour,
  { model, maxOutputTokens = Number.POSITIVE_INFINITY, endsWithToolResult }: Question,
  { serial, createdMs, body }: { readonly serial: number; readonly createdMs: number; readonly body: Json },
): Answer {
  const scripted = endsWithToolResult || maxOutputTokens === 0 ? [] : (behaviour.toolCalls ?? []);
  const wanted = behaviour.text ?? (scripted.length > 0 ? '' : usualText);
  const text = firstWords(wanted, maxOutputTokens);
  const pieces = wordsOf(text);
  const reasoning = maxOutputTokens === 0 ? [] : wordsOf(behaviour.reasoning ?? '');
  const toolCalls = scripted.map(({ id, name, arguments: values = {} }, index) => ({
    index,
    id,
    name,
    arguments: values,
  }));
  const usual = toolCalls.length > 0 ? 'tool-calls' : text === wanted ? 'stop' : 'length';
  const counted = {
    inputTokens: textsOf(body).reduce((sum, found) => sum + countWords(found), 0),
    outputTokens: countWords(
      [text, ...reasoning, ...toolCalls.map((call) => JSON.stringify(call.arguments))].join(' '),
    ),
    ...(reasoning.length > 0 && { reasoningTokens: reasoning.length }),
  };
  return {
    serial,
    model,
    createdMs,
    reasoning,
    text,
    pieces: behaviour.endless && pieces.length > 0 ? withoutEnd(pieces) : pieces,
    toolCalls,
    finish: behaviour.finish ?? usual,
    usage: usageOf(counted, {
      ...behaviour.usage,
      ...(maxOutputTokens === 0 && { outputTokens: 0, reasoningTokens: 0 }),
    }),
    omitUsage: behaviour.omitUsage ?? false,
    usageFields: behaviour.usageFields ?? {},
  };
}

/** Parts that were scripted make the count around them as large as they are. */
function usageOf(counted: Usage, scripted: Partial<Usage>): Usage {
  const usage = { ...counted, ...scripted };
  const { cachedInputTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = usage;
  return {
    ...usage,
    inputTokens: Math.max(usage.inputTokens, cachedInputTokens + cacheWriteTokens),
    outputTokens: Math.max(usage.outputTokens, reasoningTokens),
  };
}

/** Cuts a text before each word; the pieces joined are the text. */
function wordsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\s)(?=\S)/);
}

function firstWords(text: string, most: number): string {
  const words = wordsOf(text);
  return words.length <= most ? text : words.slice(0, most).join('').trimEnd();
}

function* withoutEnd(pieces: readonly string[]): Generator<string> {
  for (;;) for (const piece of pieces) yield piece;
}

const spoken = new Set(['system', 'instructions', 'messages', 'contents', 'input', 'systemInstruction']);

/** Every text of a prompt, whatever the provider's spelling. */
function textsOf(body: WireRequest['body']): readonly string[] {
  return Object.entries(body).flatMap(([name, value]) => (spoken.has(name) ? textsIn(value) : []));
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    ['text', 'content', 'parts', 'output', 'arguments'].includes(name) ? textsIn(inner) : [],
  );
}
