import { describe, expect, test } from '@jest/globals';
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
  responses: { model: 'r', status: 'completed', output: [{ status: 'not this' }], usage: { input_tokens: 3 } },
  messages: { model: 'c', stop_reason: 'end_turn', usage: { input_tokens: 3, output_tokens: 4 } },
  generateContent: {
    candidates: [
      { content: { parts: [{ functionCall: { args: { finishReason: 'not this' } } }] }, finishReason: 'STOP' },
    ],
    modelVersion: 'g',
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 5 },
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

function learnt(api: Api, whole: Parameters<JsonReader['learn']>[0]) {
  const reader = new JsonReader(api);
  reader.learn(whole);
  return [reader.facts(), reader.contentBytes];
}
