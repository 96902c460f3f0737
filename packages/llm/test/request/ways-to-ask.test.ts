/** Requests that few write like this, and that cost as much as others. */
import { describe, expect, test } from '@jest/globals';
import { type LlmPolicies, wrapFetch } from '../../src/index.ts';
import { estimateText } from '../../src/request/estimate.ts';
import { createPurse, unitPrice } from '../support/policies.ts';

const gemini = '/v1beta/models/gemini-2.5-flash:generateContent';
const chat = '/v1/chat/completions';

/** What was reserved for a request, and what the provider got. */
async function asked(path: string, body: string | object, policies: LlmPolicies = {}) {
  const purse = createPurse(1_000_000_000_000n);
  let sent: unknown;
  const provider = async (_input: unknown, init?: RequestInit): Promise<Response> => {
    sent = init?.body;
    return Response.json({});
  };
  const isWritten = typeof body === 'string' || body instanceof ArrayBuffer || ArrayBuffer.isView(body);
  const init = { method: 'POST', body: isWritten ? (body as string) : JSON.stringify(body) };
  const wrapped = wrapFetch(provider, { limiter: purse, price: unitPrice, ...policies });
  await (await wrapped(`https://api.test${path}`, init)).text();
  const { inputTokens = 0, outputTokens = 0 } = purse.reserved[0]?.estimate ?? {};
  return { inputTokens, outputTokens, sent: typeof sent === 'string' ? (JSON.parse(sent) as unknown) : sent };
}

describe('Gemini takes names in either spelling', () => {
  test.each([
    { generation_config: { max_output_tokens: 60_000 } },
    { generation_config: { maxOutputTokens: 60_000 } },
    { generationConfig: { max_output_tokens: 60_000 } },
  ])('%j', async (config) => {
    const { outputTokens, sent } = await asked(gemini, { contents: [], ...config });
    expect([outputTokens, sent]).toEqual([60_000, { contents: [], ...config }]);
  });

  test('for the number of answers, too', async () => {
    const generationConfig = { maxOutputTokens: 100, candidate_count: 8 };
    expect((await asked(gemini, { contents: [], generationConfig })).outputTokens).toBe(800);
  });

  test('and a cap goes where the others are', async () => {
    const { sent } = await asked(gemini, { contents: [], generation_config: { temperature: 1 } });
    expect(sent).toEqual({ contents: [], generation_config: { temperature: 1, maxOutputTokens: 16_384 } });
  });
});

test.each([
  [-1, 16_384],
  [-100, 16_384],
  [1_000.5, 1_001],
  [1e15, 100_000_000],
])('a limit of %p output tokens is one of %p', async (maxTokens, outputTokens) => {
  expect((await asked(chat, { model: 'm', messages: [], max_tokens: maxTokens })).outputTokens).toBe(outputTokens);
});

test.each(['ft:o4-mini-2025-04-16:org::id', 'ft:gpt-5-mini:org::id'])(
  '%s is told its limit by the new name',
  async (model) => {
    expect((await asked(chat, { model, messages: [] })).sent).toHaveProperty('max_completion_tokens', 16_384);
  },
);

test('to count tokens at Vertex is no call of a model', async () => {
  const path = '/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict';
  const body = { model: 'claude-sonnet-4-5', messages: [] };
  expect(await asked(path, body)).toEqual({ inputTokens: 0, outputTokens: 0, sent: body });
});

describe('a prompt that begins like an image', () => {
  const words = 'many words of a prompt '.repeat(20_000);
  test.each(['data:image/png;base64, ', 'data:image/png;base64,', '/9j/ ', 'iVBORw0KGgo'])(
    'with %p is text',
    async (start) => {
      const messages = [{ role: 'user', content: start + words }];
      expect((await asked(chat, { model: 'm', max_tokens: 5, messages })).inputTokens).toBeGreaterThan(80_000);
    },
  );

  test.each([10_000, 400_000])('and is one is one: %p bytes of it', async (size) => {
    const data = Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * at * 31) >> 2)).toString('base64');
    for (const start of ['data:image/png;base64,iVBORw0KGgo', 'iVBORw0KGgo']) {
      for (const written of [data, data.replaceAll('/', String.raw`\/`)]) {
        const body = `{"model":"m","max_tokens":5,"messages":[{"content":[{"data":"${start}${written}"}]}]}`;
        const { inputTokens } = await asked(chat, body);
        expect([inputTokens >= 5_000, inputTokens < 5_100]).toEqual([true, true]);
      }
    }
  });
});

test('what a user says is text, though it is written like an image', async () => {
  const content = `/9j/${Buffer.from(Uint8Array.from({ length: 150_000 }, (_, at) => (at * at * 31) >> 2)).toString('base64')}`;
  for (const said of [content, [{ type: 'text', text: content }]]) {
    const { inputTokens } = await asked(chat, {
      model: 'm',
      max_tokens: 5,
      messages: [{ role: 'user', content: said }],
    });
    expect(inputTokens).toBeGreaterThan(100_000);
  }
});

describe('sound counts by its length:', () => {
  const seconds = 600;
  const wav = Buffer.alloc(44 + seconds * 32_000, 7);
  wav.write('RIFF\x24\xf8\x24\x01WAVEfmt ', 'latin1');
  test.each([
    [
      'Gemini',
      gemini,
      { contents: [{ parts: [{ inlineData: { mimeType: 'audio/wav', data: wav.toString('base64') } }] }] },
    ],
    [
      'OpenAI',
      chat,
      {
        model: 'm',
        messages: [
          {
            role: 'user',
            content: [{ type: 'input_audio', input_audio: { data: wav.toString('base64'), format: 'wav' } }],
          },
        ],
      },
    ],
  ])('ten minutes, as %s is given them', async (_name, path, body) => {
    const { inputTokens } = await asked(path, body);
    // Gemini counts 32 tokens a second.
    expect(inputTokens).toBeGreaterThan(seconds * 32);
    expect(inputTokens).toBeLessThan(seconds * 32 * 5);
  });

  test('packed, it is more for each byte', async () => {
    const data = Buffer.concat([Buffer.from('ID3'), Buffer.alloc(seconds * 16_000, 7)]).toString('base64');
    const { inputTokens } = await asked(gemini, {
      contents: [{ parts: [{ inlineData: { mimeType: 'audio/mpeg', data } }] }],
    });
    expect(inputTokens).toBeGreaterThan(seconds * 32);
    expect(inputTokens).toBeLessThan(data.length / 20);
  });
});

test('an image is one whatever its length', () => {
  for (let length = 8_200; length < 60_000; length += 97) {
    const tokens = estimateText(JSON.stringify({ data: `iVBORw0KGgo${'A'.repeat(length)}` }));
    expect([length, tokens < 5_100]).toEqual([length, true]);
  }
});

describe.each([
  ['chat', chat, (url: string) => [{ type: 'image_url', image_url: { url, detail: 'high' } }]],
  ['responses', '/v1/responses', (url: string) => [{ type: 'input_image', image_url: url }]],
])('an image of OpenAI, %s, is one', (_api, path, contentOf) => {
  test.each([20, 4_000])('where its bytes are there, %p times four of them', async (count) => {
    const content = contentOf(`data:image/png;base64,iVBORw0KGgo${'AAAA'.repeat(count)}`);
    const { inputTokens } = await asked(path, { model: 'm', input: content, messages: [{ role: 'user', content }] });
    expect([inputTokens >= 10_000, inputTokens < 10_400]).toEqual([true, true]);
  });

  test('where it is named', async () => {
    const content = contentOf('https://images.test/1.png');
    const { inputTokens } = await asked(path, { model: 'm', input: content });
    expect([inputTokens >= 5_000, inputTokens < 5_200]).toEqual([true, true]);
  });
});

describe.each(['Anthropic', 'Gemini'])('images of %s, whatever their bytes,', (name) => {
  test.each([20, 4_000])('count as such: two of %p times four characters', async (count) => {
    const data = `iVBORw0KGgo${'AAAA'.repeat(count)}`;
    const { inputTokens } =
      name === 'Gemini'
        ? await asked(gemini, {
            contents: [
              {
                parts: [
                  { inlineData: { mimeType: 'image/png', data } },
                  { inline_data: { mime_type: 'image/png', data } },
                ],
              },
            ],
          })
        : await asked('/v1/messages', {
            model: 'm',
            max_tokens: 5,
            messages: [1, 2].map(() => ({
              role: 'user',
              content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data } }],
            })),
          });
    expect([inputTokens >= 10_000, inputTokens < 10_800]).toEqual([true, true]);
  });
});

test.each([
  ['an ArrayBuffer', (bytes: Uint8Array<ArrayBuffer>) => bytes.buffer],
  ['a view', (bytes: Uint8Array<ArrayBuffer>) => new DataView(bytes.buffer)],
  ['an array of bytes', (bytes: Uint8Array<ArrayBuffer>) => bytes],
])('a body that is %s is read', async (_what, made) => {
  const bytes = new TextEncoder().encode(
    JSON.stringify({ contents: [{ parts: [{ text: 'word '.repeat(100_000) }] }] }),
  );
  const { inputTokens, sent } = await asked(gemini, made(bytes));
  expect(inputTokens).toBeGreaterThan(90_000);
  expect(sent).toHaveProperty('generationConfig.maxOutputTokens', 16_384);
});
