/** What the real clients make of whole answers. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createFaultyProvider } from '../../src/testing/index.ts';
import OpenAI from 'openai';
import { clientsOf, geminiClient } from './support/clients.ts';

const provider = await createFaultyProvider();
const clients = clientsOf(provider.url);
beforeEach(() => provider.reset());
afterAll(() => provider.close());

const text = 'It is late, 지금 늦었어요. 🎈';
const usage = {
  inputTokens: 1_200,
  outputTokens: 340,
  cachedInputTokens: 1_000,
  cacheWriteTokens: 50,
  reasoningTokens: 300,
};

describe.each(clients)('$name', (client) => {
  describe.each(['complete', 'stream'] as const)('%s', (way) => {
    test('hears the text and the usage as they were sent', async () => {
      provider.always({ text, usage });
      const heard = await client[way]();
      expect(heard.text).toBe(text);
      expect(heard.toolCalls).toEqual([]);
      expect(['stop', 'completed', 'end_turn', 'STOP']).toContain(heard.finish);
      // Gemini does not tell what was written to a cache.
      const { cacheWriteTokens: _, ...withoutWrites } = usage;
      expect(heard.usage).toMatchObject(client.provider === 'gemini' ? withoutWrites : usage);
      expect(provider.counters).toMatchObject({ requests: 1, answered: 1, inputTokens: 1_200, outputTokens: 340 });
    });

    test('hears a call of a tool', async () => {
      provider.always({ toolCalls: [{ name: 'clock', arguments: { city: 'Seoul, 서울특별시' } }] });
      const heard = await client[way]();
      expect(heard.toolCalls).toEqual([{ name: 'clock', arguments: { city: 'Seoul, 서울특별시' } }]);
      expect(['tool_calls', 'tool-calls', 'completed', 'tool_use', 'STOP']).toContain(heard.finish);
    });

    test('hears text before a call of a tool, and two calls', async () => {
      const toolCalls = [
        { name: 'clock', arguments: { city: 'Seoul' } },
        { name: 'clock', arguments: { city: 'Busan' } },
      ];
      provider.always({ text: 'One moment. ', toolCalls });
      const heard = await client[way]();
      expect(heard.text).toBe('One moment. ');
      expect(heard.toolCalls).toEqual(toolCalls);
    });

    test('hears what the model thought, where the API shows it', async () => {
      provider.always({ text, reasoning: 'Clocks go by zones.' });
      const heard = await client[way]();
      expect(heard.text).toBe(text);
      expect(heard.reasoning).toBe(/chat/.test(client.name) ? '' : 'Clocks go by zones.');
      expect(heard.usage).toMatchObject({ reasoningTokens: 4 });
    });

    test('is cut at the most output tokens, as long, and is told so', async () => {
      provider.always({ text: 'one two three four five' });
      const heard = await client[way]({ maxOutputTokens: 3 });
      expect(heard.text).toBe('one two three');
      expect(heard.usage).toMatchObject({ outputTokens: 3 });
      expect(['length', 'max_output_tokens', 'max_tokens', 'MAX_TOKENS']).toContain(heard.finish);
    });

    test('is told that a filter stopped the answer', async () => {
      provider.always({ text: 'I would rather', finish: 'content-filter' });
      const { finish } = await client[way]();
      expect(['content_filter', 'content-filter', 'refusal', 'SAFETY']).toContain(finish);
    });

    test.each([1, 2, 3, 7, 64, 100_000])('understands a body in pieces of %i bytes', async (chunkBytes) => {
      provider.always({ text, reasoning: 'Ja, 그래.', usage, chunkBytes });
      const heard = await client[way]();
      expect(heard.text).toBe(text);
      expect(heard.usage).toMatchObject({ inputTokens: 1_200, outputTokens: 340 });
    });

    test('counts words where no usage is scripted', async () => {
      provider.always({ text: 'one two three' });
      const heard = await client[way]();
      expect(heard.usage).toMatchObject({ inputTokens: 6, outputTokens: 3 });
    });
  });
});

describe('other answers', () => {
  const openai = new OpenAI({ baseURL: `${provider.url}/v1`, apiKey: 'any', maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: provider.url, apiKey: 'any', maxRetries: 0 });
  const gemini = geminiClient(provider.url);

  test('the chat sends usage in a stream only where it was asked for', async () => {
    const stream = await openai.chat.completions.create({ model: 'm', messages: [], stream: true });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.every((chunk) => !('usage' in chunk))).toBe(true);
  });

  test('no usage is sent where it is left out', async () => {
    provider.always({ omitUsage: true });
    const body = { model: 'm', messages: [], stream_options: { include_usage: true } };
    const stream = await openai.chat.completions.create({ ...body, stream: true });
    for await (const { choices, usage } of stream) {
      expect(usage ?? null).toBeNull();
      expect(choices).toHaveLength(1);
    }
    expect(await openai.chat.completions.create({ model: 'm', messages: [] })).not.toHaveProperty('usage');
    expect(await anthropic.messages.create({ model: 'm', max_tokens: 9, messages: [] })).not.toHaveProperty('usage');
    const { usageMetadata } = await gemini.models.generateContent({ model: 'm', contents: 'hi' });
    expect(usageMetadata).toBeUndefined();
  });

  test('members can be laid over the usage as the provider spells it', async () => {
    provider.always({ usageFields: { toolUsePromptTokenCount: 77 } });
    const { usageMetadata } = await gemini.models.generateContent({ model: 'm', contents: 'one two' });
    expect(usageMetadata).toMatchObject({ promptTokenCount: 2, toolUsePromptTokenCount: 77 });
  });

  test('embeddings come as numbers and as base64, the same for the same text', async () => {
    const { data, usage: spent } = await openai.embeddings.create({ model: 'm', input: ['one two', 'three', 'three'] });
    const plain = await openai.embeddings.create({ model: 'm', input: 'one two', encoding_format: 'float' });
    expect(data).toHaveLength(3);
    expect(data[0]?.embedding).toHaveLength(8);
    expect(data[1]).toMatchObject({ embedding: data[2]?.embedding });
    expect(data[0]?.embedding).not.toEqual(data[1]?.embedding);
    for (const [index, value] of (plain.data[0]?.embedding ?? []).entries())
      expect(data[0]?.embedding[index]).toBeCloseTo(value, 6);
    expect(spent).toEqual({ prompt_tokens: 4, total_tokens: 4 });
    expect(provider.counters).toMatchObject({ inputTokens: 6, outputTokens: 0 });
  });

  test('embeddings have as many dimensions as are asked for', async () => {
    const { data } = await openai.embeddings.create({
      model: 'm',
      input: 'a',
      dimensions: 3,
      encoding_format: 'float',
    });
    expect(data[0]?.embedding).toHaveLength(3);
    expect(Math.hypot(...(data[0]?.embedding ?? []))).toBeCloseTo(1, 9);
  });

  test('each provider lists its models, free of charge', async () => {
    provider.always({ usage: { inputTokens: 10 } });
    const ids: (string | undefined)[] = [];
    for await (const { id } of openai.models.list()) ids.push(id);
    for await (const { id } of anthropic.models.list()) ids.push(id);
    for await (const { name } of await gemini.models.list()) ids.push(name);
    expect(ids).toEqual(['faulty-model', 'faulty-model', 'models/faulty-model']);
    expect(provider.requests.map((request) => request.provider)).toEqual(['openai', 'anthropic', 'gemini']);
    expect(provider.counters).toMatchObject({ answered: 3, inputTokens: 0, outputTokens: 0 });
  });

  test('a conversation that ends with what a tool returned is answered with text', async () => {
    provider.always({ toolCalls: [{ name: 'clock' }], text: 'It is nine.' });
    const { choices } = await openai.chat.completions.create({
      model: 'm',
      messages: [
        { role: 'user', content: 'What time is it?' },
        {
          role: 'assistant',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'clock', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: '9' },
      ],
    });
    expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'It is nine.' } });
    const answer = await openai.responses.create({
      model: 'm',
      input: [
        { type: 'function_call', call_id: 'call_1', name: 'clock', arguments: '{}' },
        { type: 'function_call_output', call_id: 'call_1', output: '9' },
      ],
    });
    expect(answer.output_text).toBe('It is nine.');
    const message = await anthropic.messages.create({
      model: 'm',
      max_tokens: 9,
      messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: '9' }] }],
    });
    expect(message.stop_reason).toBe('end_turn');
    const { functionCalls } = await gemini.models.generateContent({
      model: 'm',
      contents: [{ role: 'user', parts: [{ functionResponse: { name: 'clock', response: { time: 9 } } }] }],
    });
    expect(functionCalls).toBeUndefined();
  });

  test('Gemini ends its lines with CR and LF, the others with LF alone', async () => {
    const read = async (path: string, body: object): Promise<string> => {
      const init = { method: 'POST', body: JSON.stringify(body) };
      return (await fetch(`${provider.url}${path}`, init)).text();
    };
    const gemini = await read('/v1beta/models/m:streamGenerateContent?alt=sse', { contents: [] });
    expect(gemini.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(gemini).toMatch(/^data: \{.*\}\r\n\r\n/);
    expect(await read('/v1/chat/completions', { stream: true })).not.toContain('\r');
    expect(await read('/v1/messages', { stream: true })).not.toContain('\r');
  });

  test('a Gemini stream that is not asked for as events is a list', async () => {
    const path = '/v1beta/models/m:streamGenerateContent';
    const response = await fetch(`${provider.url}${path}`, { method: 'POST', body: '{}' });
    expect(await response.json()).toEqual([expect.objectContaining({ modelVersion: 'm' })]);
  });

  test('ids are made from the number of the request', async () => {
    provider.always({ toolCalls: [{ name: 'clock' }] });
    const first = await openai.chat.completions.create({ model: 'm', messages: [] });
    const second = await anthropic.messages.create({ model: 'm', max_tokens: 9, messages: [] });
    expect(first.id).toBe('chatcmpl-000001');
    expect(first._request_id).toBe('req_000001');
    expect(first.choices[0]?.message.tool_calls?.[0]?.id).toBe('call_000001_0');
    expect(second).toMatchObject({ id: 'msg_000002', content: [{ type: 'tool_use', id: 'toolu_000002_0' }] });
  });
});
