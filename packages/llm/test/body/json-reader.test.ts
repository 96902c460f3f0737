import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { JsonReader } from '../../src/body/answer-reader.ts';
import type { Api } from '../../src/providers/api.ts';
import { apis } from '../../src/providers/index.ts';

const answers: Readonly<Record<string, unknown>> = {
  chat: {
    model: 'm',
    choices: [
      { message: { content: 'a "quoted" caf\u00e9, [{', finish_reason: 'not this' }, finish_reason: 'stop' },
      { finish_reason: 'length' },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 1 } },
  },
  completions: {
    model: 'p',
    choices: [
      { text: '{"finish_reason":"not this"}', logprobs: { top_logprobs: [{ usage: -1 }] }, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 2 },
  },
  responses: { model: 'r', status: 'completed', output: [{ status: 'not this' }], usage: { input_tokens: 3 } },
  messages: { model: 'c', stop_reason: 'end_turn', usage: { input_tokens: 3, output_tokens: 4 } },
  generateContent: {
    candidates: [
      { content: { parts: [{ functionCall: { args: { finishReason: 'not this' } } }] }, finishReason: 'STOP' },
    ],
    modelVersion: 'g',
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 5 },
  },
  interactions: {
    model: 'i',
    status: 'completed',
    steps: [{ type: 'model_output', content: [{ type: 'text', text: 'not "this"', status: 'nor this' }] }],
    usage: { total_input_tokens: 3, total_output_tokens: 5, total_thought_tokens: 2 },
  },
  embeddings: { model: 'e', data: [0.5], usage: { prompt_tokens: 4, total_tokens: 4 } },
};

describe.each(apis.map((api) => [api.name, api] as const))('an answer of %s', (name, api) => {
  const whole = JSON.stringify(answers[name]);
  const texts: readonly (readonly [what: string, text: string])[] = [
    ['plain', whole],
    ['with spaces', JSON.stringify(answers[name], undefined, 2)],
    ['with a mark of the byte order', `\u{feff}${whole}`],
    ['cut', whole.slice(0, -9)],
    ['with empty lists', `{"choices":[],"candidates":[],${whole.slice(1)}`],
    ['no object', '[]'],
    ['empty', ''],
  ];

  test.each(texts)('says the same at once as in pieces: %s', (_what, text) => {
    const bytes = Buffer.from(text);
    const pieces = new JsonReader(api);
    for (let at = 0; at < bytes.length; at += 7) pieces.write(bytes.subarray(at, at + 7));
    expect(learnt(api, { bytes, text })).toEqual([pieces.facts(), bytes.length]);
    expect(learnt(api, { bytes })).toEqual([pieces.facts(), bytes.length]);
  });

  test('says the same to who wants it parsed', () => {
    const bytes = Buffer.from(whole);
    const json = learnt(api, { bytes, text: whole, json: answers[name] });
    expect(json).toEqual(learnt(api, { bytes }));
    expect(json[0]).toMatchObject({ usage: { inputTokens: expect.any(Number) }, model: expect.any(String) });
  });
});

describe.each(apis.map((api) => [api.name, api] as const))('the usage of an answer of %s', (_name, api) => {
  const count = fc.oneof({ weight: 4, arbitrary: fc.nat() }, fc.constantFrom(null, '7', 1.5, -1, 1e21, true, 'x'));
  const names = api.answer.counts.map((path) => path.split('.'));
  const held = (within: readonly string[]) =>
    fc.oneof({ weight: 4, arbitrary: fc.dictionary(fc.constantFrom(...within, 'other'), count) }, count);
  const record = Object.fromEntries(
    names.map(([name = '', inner]) => {
      const within = names.filter(([outer]) => outer === name).flatMap(([, one]) => one ?? []);
      return [name, inner === undefined ? count : held(within)];
    }),
  );
  const usages = fc.record(
    { ...record, other: count, another: fc.dictionary(fc.string(), count) },
    { requiredKeys: [] },
  );

  test('is the same whether it is read where it stands or parsed', () => {
    fc.assert(
      fc.property(usages, fc.constantFrom(0, 1), (usage, indent) => {
        const text = JSON.stringify({ [api.answer.usage]: usage }, undefined, indent);
        const [facts] = learnt(api, { bytes: Buffer.from(text), text });
        expect(facts).toMatchObject({ usage: api.answer.usageOf(JSON.parse(text)[api.answer.usage]) });
      }),
    );
  });

  test.each([null, 1, 'x', [], {}, [{}], undefined])('is none where it is %j', (usage) => {
    const text = JSON.stringify({ [api.answer.usage]: usage });
    expect(learnt(api, { bytes: Buffer.from(text), text })[0]).toMatchObject({ usage: undefined });
  });
});

function learnt(api: Api, whole: Parameters<JsonReader['learn']>[0]) {
  const reader = new JsonReader(api);
  reader.learn(whole);
  return [reader.facts(), reader.contentBytes];
}
